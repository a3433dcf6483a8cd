/**
 * Finds a target: a built-in one by its name, or one that somebody wrote, by the path of its file or the name of its
 * package. What is said of it in a record is its name or an absolute path, which means the same in every directory.
 */
import { isAbsolute, resolve } from 'node:path';
import { UblkError, usageError } from '../errors.ts';
import { loadTarget } from './load/load.ts';
import { resolvePackage } from './load/resolve-package.ts';
import { builtInTarget, targetNames } from './registry.ts';
import type { TargetType } from './target.ts';

/** The target that `reference` (see `targetReference`) stands for. Throws a UblkError when there is none. */
export async function findTarget(reference: string): Promise<TargetType> {
  const builtIn = builtInTarget(reference);
  if (builtIn !== undefined) return builtIn;
  if (!isAbsolute(reference)) throw unknown(reference);
  return loadTarget(reference);
}

/** Returns the target with the traits that `inspect` has found for what the device is made of. */
export async function inspected(
  target: TargetType,
  options: Readonly<Record<string, string>>,
  recovering: boolean,
  signal?: AbortSignal,
): Promise<TargetType> {
  return target.inspect === undefined ? target : { ...target, ...(await target.inspect(options, recovering, signal)) };
}

/** What a target is recorded as: the name of a built-in one, or the absolute path of a file. */
export async function targetReference(name: string): Promise<string> {
  if (builtInTarget(name) !== undefined) return name;
  if (isPath(name)) return resolve(name);
  const file = resolvePackage(name);
  if (file === null) throw unknown(name);
  return file;
}

/** The file of a target of somebody's own. Throws a UblkError when there is none, also for the name of a built-in target. */
export async function ownTargetFile(name: string): Promise<string> {
  if (builtInTarget(name) === undefined) return targetReference(name);
  throw usageError(
    `${name} is a built-in target, and only a target of your own can be checked`,
    'name its file with a slash or its ending, for example ./ram.ts',
  );
}

/** Whether the name of a target is the path of a file: it has a slash, or the ending of a module. */
function isPath(name: string): boolean {
  return name.includes('/') ? !name.startsWith('@') : /\.[cm]?[jt]s$/.test(name);
}

function unknown(name: string): UblkError {
  return usageError(
    `there is no target named '${name}'`,
    `the targets are ${targetNames().join(', ')}; a file is named with a slash or its ending, for example ./ram.ts`,
  );
}
