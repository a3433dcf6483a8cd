/** Files that server and clients share: what can be mapped and registered, checked before anything is asked of the kernel. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { PAGE_SIZE } from '../native/memory.ts';

/** UBLK_SHMEM_BUF_SIZE_MAX of drivers/block/ublk_drv.c, Linux 7.3. */
const MAX_BYTES = 2 ** 32;

export interface SharedFile {
  readonly fd: number;
  readonly length: number;
}

/** Opens `path`; the descriptor is the caller's. Every refusal names the path and what to do. */
export function openSharedFile(path: string, readOnly: boolean): SharedFile {
  let fd: number;
  try {
    fd = openSync(path, readOnly ? constants.O_RDONLY : constants.O_RDWR);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const hint =
      code === 'ENOENT'
        ? 'make it first, for instance with `fallocate -l 4M` on a mounted hugetlbfs'
        : code === 'EISDIR'
          ? 'a file on a hugetlbfs or tmpfs is wanted'
          : 'see the file and its permissions';
    throw refusal(path, code, reasonOf(code), hint);
  }
  try {
    return { fd, length: checkSharedFile(fd, path) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The file's length, if it can be shared. */
export function checkSharedFile(fd: number, name: string): number {
  const stat = fstatSync(fd);
  if (stat.isDirectory())
    throw refusal(name, 'EISDIR', 'it is a directory', 'a file on a hugetlbfs or tmpfs is wanted');
  if (!stat.isFile())
    throw refusal(name, 'EINVAL', 'it is not a regular file', 'a file on a hugetlbfs or tmpfs, or a memfd, is wanted');
  if (stat.size === 0)
    throw refusal(name, 'EINVAL', 'it is empty', 'give it a size, for instance with `fallocate -l 4M`');
  if (stat.size % PAGE_SIZE !== 0) {
    const hint = `make it a multiple of ${PAGE_SIZE} bytes`;
    throw refusal(name, 'EINVAL', `its size, ${stat.size} bytes, is not a whole number of pages`, hint);
  }
  if (stat.size > MAX_BYTES) {
    throw refusal(
      name,
      'E2BIG',
      `its size, ${stat.size} bytes, is over the kernel's 4 GiB a buffer`,
      'use several smaller files',
    );
  }
  return stat.size;
}

function refusal(path: string, code: string, reason: string, hint: string): UblkError {
  return new UblkError(`cannot share ${path}: ${reason}`, {
    code,
    kind: code === 'EACCES' ? 'permission' : 'failed',
    command: 'open',
    hint,
  });
}

function reasonOf(code: string): string {
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
  };
  return words[code] ?? code;
}
