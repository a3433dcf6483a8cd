/**
 * The limit of how far a process may write a file (RLIMIT_FSIZE). It is inherited from the shell or the unit that starts the
 * server, and what a client writes beyond it would fail with an error that nothing explains.
 */
import { UblkError } from '../errors.ts';
import { readText } from '../native/kernel-files.ts';
import { formatSize } from '../sizes.ts';

/** Throws when this process may not write all of a file of `bytes` bytes. */
export function requireWritableSize(path: string, bytes: number, limit: number = fileSizeLimit()): void {
  if (bytes <= limit) return;
  throw new UblkError(
    `${path} is to have ${formatSize(bytes)}, and the server may write no more than the first ${formatSize(limit)} of a file (RLIMIT_FSIZE)`,
    {
      code: 'EFBIG',
      command: 'getrlimit',
      hint: '`ulimit -f unlimited` raises the limit in a shell, and LimitFSIZE=infinity in a systemd unit',
    },
  );
}

/** Bytes. */
export function fileSizeLimit(limits: string = readText('/proc/self/limits') ?? ''): number {
  const soft = /^Max file size\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Infinity : Number(soft);
}
