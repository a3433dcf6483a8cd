import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { UblkError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'it is not a directory',
  EROFS: 'its file system is read-only',
};

/**
 * The directory for temporary files: that of TMPDIR, or /tmp. Throws where no file can be made in it: a program that is to be
 * started there would otherwise be taken for one that is not installed, because the error of the system is the same.
 */
export function temporaryHome(): string {
  const directory = tmpdir();
  try {
    // With the slash, a file is no directory.
    accessSync(`${directory}/`, constants.W_OK | constants.X_OK);
    return directory;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new UblkError(`temporary files cannot be kept in ${directory}: ${REASONS[code] ?? code}`, {
      code,
      hint: 'name a directory that can be written in TMPDIR',
      cause: error,
    });
  }
}
