import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { cacheHome, makeDirectory } from '../cache-home.ts';
import { UblkError } from '../errors.ts';

/** A path in the lab's cache. Everything below it can be made again. */
function cachePath(...parts: string[]): string {
  const root = cacheHome();
  if (root === undefined) {
    throw new UblkError('the lab has no place to keep its image: this user has no home', {
      code: 'ENOENT',
      hint: 'name a directory in XDG_CACHE_HOME',
    });
  }
  return path.join(root, 'ublkts', 'lab', ...parts);
}

export function cacheDirectory(...parts: string[]): string {
  const directory = cachePath(...parts);
  if (makeDirectory(directory)) return directory;
  throw new UblkError(`the lab has no place to keep its image: ${directory} cannot be made`, {
    code: 'ENOENT',
    hint: 'name a directory that can be written in XDG_CACHE_HOME',
  });
}

/** Marks a cached entry as used just now, for `forgetUnused`. */
export async function markUsed(entry: string): Promise<void> {
  const now = new Date();
  await utimes(entry, now, now);
}

/**
 * Removes the entries of a cache directory that nobody used for `days`. Their age makes that safe beside a
 * concurrent run: whoever is about to open an entry has just marked it as used.
 */
export async function forgetUnused(directory: string, days: number): Promise<void> {
  const oldest = Date.now() - days * 24 * 60 * 60 * 1000;
  for (const name of await readdir(directory)) {
    const entry = path.join(directory, name);
    if ((await lastUsed(entry)) < oldest) await rm(entry, { recursive: true, force: true });
  }
}

/** A concurrent run renames what it has finished, so an entry may be gone since it was listed. Such an entry counts as used. */
async function lastUsed(entry: string): Promise<number> {
  const { mtimeMs } = await stat(entry).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return { mtimeMs: Date.now() };
    throw error;
  });
  return mtimeMs;
}

/** True when something exists at this path. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
