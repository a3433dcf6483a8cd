import { homedir } from 'node:os';
import path from 'node:path';

/** The home directory that Debian names for a user without one. */
export const NO_HOME = '/nonexistent';

/** Where this user's caches are; undefined for a user without a home, as a container's may be. */
export function cacheHome(): string | undefined {
  const { XDG_CACHE_HOME: named } = process.env;
  if (named) return named;
  try {
    const home = homedir();
    return home === NO_HOME ? undefined : path.join(home, '.cache');
  } catch {
    return undefined;
  }
}

/**
 * Where Node keeps the compiled code of a part of this program; undefined for a user without a home. Node's own default
 * is in /tmp, where anyone could leave compiled code for root to run. What is kept of a file are the functions that its
 * first user called, so each part has a directory of its own (docs/decisions/0016).
 */
export function compileCache(part: string): string | undefined {
  const cache = cacheHome();
  return cache === undefined ? undefined : path.join(cache, 'ublkts', 'compile', part);
}
