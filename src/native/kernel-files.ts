/** Reads files and directories of /sys and /proc, where a name that is not there is an answer and no error. */
import { readdirSync, readFileSync } from 'node:fs';
import { throwShortage } from './shortage.ts';

/** The names in a directory, sorted; none where there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    throwShortage(error);
    return [];
  }
}

/** The text of a file without white space around it; null where there is no such file. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throwShortage(error);
    return null;
  }
}
