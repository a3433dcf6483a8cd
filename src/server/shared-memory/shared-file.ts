/** Files that server and clients share: what can be mapped and registered, checked before anything is asked of the kernel. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, statfsSync } from 'node:fs';
import { PAGE_SIZE } from '../../native/memory.ts';
import { HUGETLBFS_MAGIC, TMPFS_MAGIC } from '../../native/uapi/fs.ts';
import { isOwnFile } from '../../record/files.ts';
import { type Memory, readMemoryAtSpeed, SERVER_BYTES } from '../memory-budget.ts';
import { textOfCode } from '../../native/uapi/errno.ts';
import { notShareable, WANTED } from './refusals.ts';

/** UBLK_SHMEM_BUF_SIZE_MAX of drivers/block/ublk_drv.c, Linux 7.3. */
export const MAX_BYTES = 2 ** 32;
/** Left to everyone else on the machine when memory is to be filled in for a file. */
const SPARE_BYTES = 64 * 2 ** 20;

export interface SharedFile {
  readonly length: number;
  /** st_dev and st_ino. */
  readonly device: string;
  readonly inode: string;
}

export interface OpenFile extends SharedFile {
  readonly fd: number;
}

/** Opens `path`; the descriptor is the caller's. Every refusal names the path and what to do. */
export function openSharedFile(path: string, readOnly: boolean): OpenFile {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO must not keep anyone waiting for its other end.
    fd = openSync(path, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw notShareable(path, code, reasonOf(code), HINTS[code] ?? 'see the file and its permissions');
  }
  return checkedFile(fd, path);
}

/** Describes an open file, and closes the descriptor of one that cannot be shared. */
export function checkedFile(fd: number, name: string): OpenFile {
  try {
    return { fd, ...checkSharedFile(fd, name) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Describes the file, or refuses one that cannot be shared. */
export function checkSharedFile(fd: number, name: string): SharedFile {
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isDirectory()) throw notShareable(name, 'EISDIR', reasonOf('EISDIR'), HINTS['EISDIR']!);
  if (!stat.isFile()) {
    throw notShareable(name, 'EINVAL', 'it is not a regular file', WANTED);
  }
  if (isOwnFile(readlinkSync(`/proc/self/fd/${fd}`))) {
    throw notShareable(name, 'EINVAL', 'it is a file of ublkts itself', 'make one of your own on a hugetlbfs or tmpfs');
  }
  const length = Number(stat.size);
  if (length === 0)
    throw notShareable(name, 'EINVAL', 'it is empty', 'give it a size, for instance with `fallocate -l 4M`');
  if (length % PAGE_SIZE !== 0) {
    const hint = `make it a multiple of ${PAGE_SIZE} bytes`;
    throw notShareable(name, 'EINVAL', `its size, ${length} bytes, is not a whole number of pages`, hint);
  }
  if (length > MAX_BYTES) {
    const reason = `its size, ${length} bytes, is over the kernel's 4 GiB a buffer`;
    throw notShareable(name, 'E2BIG', reason, 'use several smaller files');
  }
  return { length, ...fileNumbersOf(stat) };
}

/** The path at which the file of a client's descriptor is found again, if it has a name. */
export function pathOf(link: string, { device, inode }: SharedFile): string | null {
  if (!link.startsWith('/') || link.endsWith(' (deleted)')) return null;
  try {
    const file = openSharedFile(link, true);
    closeSync(file.fd);
    return file.device === device && file.inode === inode ? link : null;
  } catch {
    return null;
  }
}

/** What a record names the memory by: the numbers of its file, as stat(2) has them. */
export function fileNumbersOf(stat: BigIntStats): { device: string; inode: string } {
  return { device: String(stat.dev), inode: String(stat.ino) };
}

/**
 * For the process that is to fill the file's holes with memory, all of them at once: more than there is would make the
 * kernel kill the largest process, and a server in a full control group would wait for ever (memory-budget.ts).
 * hugetlbfs counts its own pages, and mmap says when there are not enough. Of a file on a disk nothing but pages that are
 * pinned is sure to be in memory.
 */
export function requireMemory(fd: number, name: string): void {
  const { type, bsize, blocks, bavail } = statfsSync(`/proc/self/fd/${fd}`);
  if (type === HUGETLBFS_MAGIC) return;
  const isTmpfs = type === TMPFS_MAGIC;
  const stat = fstatSync(fd);
  const missing = isTmpfs ? stat.size - stat.blocks * 512 : stat.size;
  if (missing <= 0) return;
  // A tmpfs without a limit, as that of memfds, has no number of blocks.
  if (isTmpfs && blocks > 0 && missing > bavail * bsize) {
    const reason = `it needs ${missing} bytes more, and its file system has ${bavail * bsize} free`;
    throw notShareable(
      name,
      'ENOSPC',
      reason,
      'use a smaller one, or mount the tmpfs with more: `mount -o remount,size=`',
    );
  }
  const memory = readMemoryAtSpeed();
  if (!isRoomFor(missing, memory)) {
    const spare = spareOf(memory);
    const left = Math.max(0, memory.available - spare);
    const reason = `it needs ${missing} bytes more of memory and ${left} are available beside the ${spare} that stay free`;
    throw notShareable(name, 'ENOMEM', reason, 'use a smaller one, or free memory first');
  }
}

/** Whether enough is left beside `bytes`; a control group with a limit needs to have room for a server only. */
export function isRoomFor(bytes: number, memory: Memory): boolean {
  return bytes + spareOf(memory) <= memory.available;
}

function spareOf({ limited }: Memory): number {
  return limited ? SERVER_BYTES : SPARE_BYTES;
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'make it first, for instance with `fallocate -l 4M` on a mounted hugetlbfs',
  EISDIR: WANTED,
  EROFS: 'only a read-only buffer can be there: register it read-only, or take a file on another file system',
};

function reasonOf(code: string): string {
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EROFS: 'its file system is read-only',
  };
  return words[code] ?? textOfCode(code);
}
