/**
 * Locks that belong to an open file (fcntl(2), "Open file description locks", and flock(2)). The kernel releases such a lock when the
 * last descriptor of the open file is closed, which includes that its process is killed.
 */
import { ERRNO } from '../uapi/errno.ts';
import { F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_NB } from '../uapi/fcntl.ts';
import { checked, systemError } from './calls.ts';
import { type CallResult, callInt, callIntInPool } from './ffi.ts';

/** The size of struct flock: type and whence (int16), start and length (int64) from byte 8 on, pid. */
const FLOCK_BYTES = 32;

export type LockKind = 'shared' | 'exclusive';

/**
 * Locks the whole file without waiting. Returns 0 or the errno, which is EAGAIN when another open file has a
 * conflicting lock. An exclusive lock needs a descriptor that can write, and a shared lock one that can read.
 */
export function tryLock(fd: number, kind: LockKind): number {
  return setLock(fd, kind, 0n, 0n);
}

/** Does the same on a thread of libuv's pool: a file system on a network asks its server. */
export async function tryLockInPool(fd: number, kind: LockKind): Promise<number> {
  return lockResult(await callIntInPool('fcntl', fd, F_OFD_SETLK, lockOf(kind, 0n, 0n)));
}

/** Locks the byte at `place`, below 2^62, in the same way. The file need not have it. */
export function tryLockByte(fd: number, kind: LockKind, place: bigint): number {
  return setLock(fd, kind, place, 1n);
}

/** A length of 0 is all that follows `start`. */
function setLock(fd: number, kind: LockKind, start: bigint, length: bigint): number {
  return lockResult(callInt('fcntl', fd, F_OFD_SETLK, lockOf(kind, start, length)));
}

function lockOf(kind: LockKind, start: bigint, length: bigint): Uint8Array {
  const lock = new Uint8Array(FLOCK_BYTES);
  const view = new DataView(lock.buffer);
  view.setInt16(0, kind === 'shared' ? F_RDLCK : F_WRLCK, true);
  view.setBigInt64(8, start, true);
  view.setBigInt64(16, length, true);
  return lock;
}

function lockResult({ value, errno }: CallResult<number>): number {
  if (value === 0) return 0;
  return errno === ERRNO.EACCES ? ERRNO.EAGAIN : errno;
}

/**
 * Locks a file or a directory by flock(2), without waiting. Returns false when another open file has the lock. It excludes
 * only those who take it in this way.
 */
export function tryFlock(fd: number): boolean {
  const { value, errno } = callInt('flock', fd, LOCK_EX | LOCK_NB);
  if (value !== 0 && errno !== ERRNO.EAGAIN) throw systemError('flock', errno, 'LOCK_EX');
  return value === 0;
}

/** The kind of lock that another open file has on this file, or null. `fd` needs no lock of its own. */
export function lockHolder(fd: number): LockKind | null {
  const lock = new Uint8Array(FLOCK_BYTES);
  const view = new DataView(lock.buffer);
  view.setInt16(0, F_WRLCK, true);
  checked('fcntl', 'F_OFD_GETLK', fd, F_OFD_GETLK, lock);
  const type = view.getInt16(0, true);
  if (type === F_UNLCK) return null;
  return type === F_RDLCK ? 'shared' : 'exclusive';
}
