/** The examples in the help are command lines that work: their flags exist and take the values that are shown. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from '@oclif/core/parser';
import { normaliseArgv } from '../../src/cli/argv/normalise.ts';
import { BaseCommand } from '../../src/cli/base-command.ts';
import { findCommand, type Manifest, readManifest } from '../../src/cli/dispatch/manifest.ts';
import { ROOT } from './run.ts';

const MANIFEST: Manifest = readManifest();

describe('every command has examples, and they parse', () => {
  for (const id of Object.keys(MANIFEST.commands)) {
    test(id, async () => {
      const examples = await examplesOf(id);
      assert.ok(examples.length > 0);
      for (const line of examples.flatMap(commandLines)) await check(line);
    });
  }
});

async function examplesOf(id: string): Promise<string[]> {
  const { examples } = await classOf(id);
  return examples.map((example) =>
    (typeof example === 'string' ? example : example.command)
      .replaceAll('<%= config.bin %>', 'ublkts')
      .replaceAll('<%= command.id %>', id.replaceAll(':', ' ')),
  );
}

async function classOf(id: string): Promise<typeof BaseCommand> {
  const file = `${ROOT}src/commands/${id.replaceAll(':', '/')}.ts`;
  const module = (await import(pathToFileURL(file).href)) as { default: typeof BaseCommand };
  return module.default;
}

/** The parts of a shell line that call this program. */
function commandLines(line: string): string[][] {
  const parts = line.split(/ (?:&&|\||>) /);
  const words = parts.map((part) => [...part.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word));
  return words.filter(([program]) => program === 'ublkts').map((call) => call.slice(1));
}

async function check(words: readonly string[]): Promise<void> {
  const found = findCommand(MANIFEST, words);
  assert.ok(found, `no command in: ${words.join(' ')}`);
  const command = await classOf(found.command.id);
  const flags = { ...BaseCommand.baseFlags, ...command.flags };
  const argv = normaliseArgv(found.rest, flags);
  await parse(argv, { flags, args: command.args, strict: command.strict });
}
