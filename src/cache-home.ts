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
