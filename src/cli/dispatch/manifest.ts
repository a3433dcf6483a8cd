/**
 * The commands as oclif.manifest.json lists them: the only table of commands. `oclif manifest` writes it from
 * src/commands. It is read here without oclif, whose own reader also sorts and links every command
 * (docs/decisions/0009).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packagePath } from '../../package-root.ts';
import type { FlagShapes } from '../argv/normalise.ts';

export interface Manifest {
  /** The version of the package. */
  readonly version: string;
  readonly commands: Readonly<Record<string, ManifestCommand>>;
}

/** The properties of a command that are needed to find and load it. */
export interface ManifestCommand {
  /** Its words, joined by colons: `lab:run`. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** Where its module is in this package. */
  readonly relativePath: readonly string[];
  readonly flags: FlagShapes;
}

/** A command's class, as the dispatcher sees it. */
export interface RunnableCommand {
  start(id: string, argv: readonly string[]): Promise<void>;
}

export interface FoundCommand {
  readonly command: ManifestCommand;
  /** The words behind the command's own. */
  readonly rest: readonly string[];
}

/** The file comes with this package, so its shape is not checked. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(packagePath('oclif.manifest.json'), 'utf8')) as Manifest;
}

/** Finds the command that the longest leading run of words names: `lab run` before `lab`. A flag ends the run. */
export function findCommand({ commands }: Manifest, argv: readonly string[]): FoundCommand | undefined {
  const flagAt = argv.findIndex((word) => word.startsWith('-'));
  const words = flagAt === -1 ? argv : argv.slice(0, flagAt);
  const all = Object.values(commands);
  const longest = Math.min(words.length, Math.max(...all.map(({ id }) => id.split(':').length)));
  for (let length = longest; length > 0; length--) {
    const name = words.slice(0, length).join(':');
    const command = all.find(({ id, aliases }) => id === name || aliases.includes(name));
    if (command !== undefined) return { command, rest: argv.slice(length) };
  }
  return undefined;
}

/** Every name that can stand where a command does, as it is typed. */
export function commandNames({ commands }: Manifest): string[] {
  const names = Object.values(commands).flatMap(({ id, aliases }) => [id, ...aliases]);
  return names.map((name) => name.replaceAll(':', ' '));
}

export function loadCommand({ relativePath }: ManifestCommand): RunnableCommand {
  const file = packagePath(join(...relativePath));
  const module = createRequire(file)(file) as { readonly default: RunnableCommand };
  return module.default;
}
