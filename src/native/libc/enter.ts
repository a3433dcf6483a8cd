/**
 * `io_uring_enter` for a queue thread: the one system call of the data path, and the only use of koffi, which makes it
 * in 0.2 us where ffi-rs takes 4-7 (docs/decisions/0001).
 *
 * Its sigset argument is always null, so the seventh argument (its size) is never looked at and not passed: all six
 * that are travel in registers. They are declared `int`, which koffi converts in half the instructions of an unsigned or
 * a 64-bit type and passes as whole registers.
 */
import koffi from 'koffi';

const SYS_io_uring_enter = 426;

/** -1 with `errno()` set when it fails. */
export type Enter = (fd: number, toSubmit: number, waitFor: number, flags: number) => number;

export interface EnterCall {
  readonly enter: Enter;
  readonly errno: () => number;
}

/** Binds the call for this thread. */
export function loadEnter(): EnterCall {
  const call = koffi
    .load('libc.so.6')
    .func('int syscall(int number, int fd, int to_submit, int min_complete, int flags, int sig)') as (
    ...args: number[]
  ) => number;
  return {
    enter: (fd, toSubmit, waitFor, flags) => call(SYS_io_uring_enter, fd, toSubmit, waitFor, flags, 0),
    errno: () => koffi.errno(),
  };
}
