/** Checks the file system of the run directory, where each device keeps its record, its counters and its log. */
import { accessSync, constants, existsSync, type StatsFs, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { RUN_DIRECTORY } from '../../record/files.ts';
import { formatSize } from '../../sizes.ts';
import { type Check, fail, ok } from './check.ts';

/** The files of a few devices need this much room. */
const NEEDED_BYTES = 256 << 10;
const NEEDED_FILES = 64;

export interface FileSystem {
  readonly isReadOnly: boolean;
  readonly freeBytes: number;
  /** null on a file system that has no bound for them. */
  readonly freeFiles: number | null;
}

/** The file system of the run directory, or of where it would be made. */
export function runFileSystem(): FileSystem {
  const directory = existsSync(RUN_DIRECTORY) ? RUN_DIRECTORY : dirname(RUN_DIRECTORY);
  const { bavail, bsize, files, ffree }: StatsFs = statfsSync(directory);
  return { isReadOnly: isReadOnly(directory), freeBytes: bavail * bsize, freeFiles: files === 0 ? null : ffree };
}

export function checkRunDirectory({ isReadOnly, freeBytes, freeFiles }: FileSystem): Check {
  const name = 'run directory';
  if (isReadOnly) {
    return fail(name, `${RUN_DIRECTORY} is on a read-only file system`, `\`findmnt -T ${RUN_DIRECTORY}\` shows it`);
  }
  const lacks = freeBytes < NEEDED_BYTES ? `${formatSize(freeBytes)} free` : null;
  const few = freeFiles !== null && freeFiles < NEEDED_FILES ? `room for ${freeFiles} more files` : null;
  const short = lacks ?? few;
  if (short === null) return ok(name, `${RUN_DIRECTORY} has ${formatSize(freeBytes)} free`);
  return fail(
    name,
    `${RUN_DIRECTORY} has ${short}, and devices need more`,
    `make room there: \`df ${RUN_DIRECTORY}\` and \`df -i ${RUN_DIRECTORY}\` show what is used`,
  );
}

/** A user without permission may not write there whatever the file system is. */
function isReadOnly(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
