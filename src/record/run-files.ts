/**
 * Changes of files in the run directory, on a file system that may be full or read-only. A change that it refuses is a
 * UblkError with the path, the reason and what to do: Node's own error of a write does not name the file.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { UblkError } from '../errors.ts';
import { textOfCode } from '../native/uapi/errno.ts';

/** Errors that every file of the file system would get, or every file of this process, and hints that say how to find their cause. */
const HINTS: Readonly<Record<string, (directory: string) => string>> = {
  ENOSPC: roomHint,
  EDQUOT: roomHint,
  EFBIG: () =>
    '`ulimit -f` shows the limit of this process for the size of a file, which is LimitFSIZE= in a systemd unit: raise it',
  EROFS: (directory) => `\`findmnt -T ${directory}\` shows the file system: it has to be writable`,
};

const WORDS: Readonly<Record<string, string>> = {
  mkdir: 'made',
  mkdtemp: 'made',
  rm: 'removed',
  rmdir: 'removed',
  unlink: 'removed',
};

/** The permissions that a umask may take away: those of the group and of others. */
const OTHERS = 0o077;

/** Makes a change to the file `path`. Throws a UblkError when its file system has no room for it, or is read-only. */
export function changing<T>(path: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw refusedChange(path, error) ?? error;
  }
}

/** The error of a file system that is full or read-only, about the file `path`; undefined for every other error. */
export function refusedChange(path: string, error: unknown): UblkError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', syscall = error instanceof UblkError ? error.command : undefined } =
    error as NodeJS.ErrnoException;
  const hint = HINTS[code]?.(dirname(path));
  if (hint === undefined) return undefined;
  return new UblkError(`${path} cannot be ${WORDS[syscall ?? ''] ?? 'written'}: ${textOfCode(code)}`, {
    code,
    ...(syscall === undefined ? {} : { command: syscall }),
    hint,
    cause: error,
  });
}

/**
 * Writes the file in another place, `temporary`, and renames it to `path`: a reader never sees half of it. It has the mode whatever
 * the umask of the caller is, because other users read some of them.
 */
export function writeWhole(path: string, temporary: string, text: string, mode: number): void {
  changing(path, () => {
    try {
      writeFileSync(temporary, text, { mode });
      if ((mode & OTHERS) !== 0) chmodSync(temporary, mode);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/**
 * Makes a directory with the mode, whatever the umask is, and those above it, unless it is there. Node's own way to make several
 * says ENOENT when the file system is read-only.
 */
export function makeDirectory(path: string, mode: number): void {
  if (isDirectory(path)) return;
  if (!existsSync(dirname(path))) makeDirectory(dirname(path), mode);
  try {
    changing(path, () => mkdirSync(path, mode));
    if ((mode & OTHERS) !== 0) chmodSync(path, mode);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // This user may not look there, and mkdir says so.
    return false;
  }
}

/** Removes the file or the folder, if it is there. */
export function removeFile(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  changing(path, () => (stat.isDirectory() ? removeFolder(path) : unlinkIfThere(path)));
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** On a read-only file system, rmSync of Node 26 throws an error without a code. rmdir refuses with EROFS first of all. */
function removeFolder(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === '') rmdirSync(path);
    throw error;
  }
}

function roomHint(directory: string): string {
  return `make room there: \`df ${directory}\` and \`df -i ${directory}\` show what is used`;
}
