/** The names of resident servers. A name is part of the names of files in /run/ublkts. */
import { usageError } from '../errors.ts';

/** The name of a resident server that was given none. */
export const DEFAULT_SERVER = 'main';

/** The name that `text` says: an empty one is the default. Throws a UblkError for a name that no server can have. */
export function serverName(text: string): string {
  if (text === '') return DEFAULT_SERVER;
  if (/^[\w][\w.-]{0,31}$/.test(text)) return text;
  throw usageError(
    `${JSON.stringify(text)} cannot be the name of a server`,
    'a name has up to 32 letters, digits, dots, dashes and underscores, and begins with a letter, a digit or an underscore',
  );
}
