/** Seals of memory files (fcntl(2), memfd_create(2)). A seal forbids an operation on the file to everybody. */
import { checked } from './calls.ts';
import { callInt } from './ffi.ts';
import {
  F_ADD_SEALS,
  F_GETFL,
  F_GET_SEALS,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  O_ACCMODE,
  O_RDONLY,
} from '../uapi/fcntl.ts';

export function addSeals(fd: number, seals: number, what: string): void {
  checked('fcntl', `F_ADD_SEALS of ${what}`, fd, F_ADD_SEALS, seals);
}

/** Whether nobody can make the file shorter any more. */
export function isSealedAgainstShrinking(fd: number): boolean {
  const seals = callInt('fcntl', fd, F_GET_SEALS, 0).value;
  return seals > 0 && (seals & F_SEAL_SHRINK) !== 0;
}

/** Whether the file can only be mapped read-only, because it was opened so or is sealed against writing. */
export function isReadOnly(fd: number): boolean {
  if ((checked('fcntl', 'F_GETFL', fd, F_GETFL, 0) & O_ACCMODE) === O_RDONLY) return true;
  // A file of a kind that has no seals answers EINVAL.
  const seals = callInt('fcntl', fd, F_GET_SEALS, 0).value;
  return seals > 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0;
}
