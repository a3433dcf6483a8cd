import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** The home directory that Debian names for a user without one. */
export const NO_HOME = '/nonexistent';

/**
 * Where this user's caches are; undefined for a user without a home, as a container's may be. A path that is not absolute
 * counts for nothing (XDG Base Directory Specification): it would be another one in every directory.
 */
export function cacheHome(): string | undefined {
  const { XDG_CACHE_HOME: named } = process.env;
  if (named !== undefined && path.isAbsolute(named)) return named;
  try {
    const home = homedir();
    return home === NO_HOME || !path.isAbsolute(home) ? undefined : path.join(home, '.cache');
  } catch {
    return undefined;
  }
}

/**
 * Where Node keeps the compiled code of a part of this program; undefined for a user without a home, for one whose
 * home is somebody else's, as after `sudo` with a kept HOME, and where no directory can be made or the disk is full.
 * Compiled code is run as it is found, so it must be this user's own; for the same reason it is not in /tmp, which is Node's default. Each part has a
 * directory of its own, so that a part can be thrown away alone (docs/decisions/0016).
 */
export function compileCache(part: string): string | undefined {
  const cache = cacheHome();
  if (cache === undefined || !isOwn(cache)) return undefined;
  const directory = path.join(cache, 'ublkts', 'compile', part);
  return makeDirectory(directory) && hasRoom(directory) ? directory : undefined;
}

/** On a full disk, Node would leave an empty file for each module at each start. Some file systems do not say how large they are. */
function hasRoom(directory: string): boolean {
  try {
    const { blocks, bavail } = statfsSync(directory);
    return blocks === 0 || bavail > 0;
  } catch {
    return false;
  }
}

/**
 * Makes a directory for this user alone, and those above it. Returns whether it is there. Node's own way to make several never
 * returns where mkdir(2) answers ENOENT below a directory that is there, as in /proc.
 */
export function makeDirectory(directory: string): boolean {
  try {
    if (existsSync(directory)) return true;
    if (!makeDirectory(path.dirname(directory))) return false;
    mkdirSync(directory, 0o700);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
}

/** Whether the directory, or the one that it will be made in, is this user's. */
function isOwn(directory: string): boolean {
  try {
    const found =
      statSync(directory, { throwIfNoEntry: false }) ?? statSync(path.dirname(directory), { throwIfNoEntry: false });
    return found === undefined || found.uid === process.geteuid?.();
  } catch {
    // The directory lies where this user may not look, as after setpriv with a kept HOME.
    return false;
  }
}
