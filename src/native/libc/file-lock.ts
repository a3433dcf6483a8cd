/**
 * Locks that belong to an open file (fcntl(2), "Open file description locks"): the kernel releases one when the last
 * descriptor of that open file is closed, so also when its process is killed.
 */
import { ERRNO } from '../uapi/errno.ts';
import { callInt } from './ffi.ts';

const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
/** sizeof(struct flock); its other fields stay 0: the whole file, whatever its length becomes. */
const FLOCK_BYTES = 32;

export type LockKind = 'shared' | 'exclusive';

/**
 * Locks the whole file, without waiting. Returns 0, or the errno: EAGAIN when another open file holds a lock that
 * conflicts. An exclusive lock needs a descriptor that can write, a shared one a descriptor that can read.
 */
export function tryLock(fd: number, kind: LockKind): number {
  const lock = new Uint8Array(FLOCK_BYTES);
  new DataView(lock.buffer).setInt16(0, kind === 'shared' ? F_RDLCK : F_WRLCK, true);
  const { value, errno } = callInt('fcntl', fd, F_OFD_SETLK, lock);
  if (value === 0) return 0;
  return errno === ERRNO.EACCES ? ERRNO.EAGAIN : errno;
}
