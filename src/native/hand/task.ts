/** The task of a hand (start.ts): one call, which may never return. */
export type HandTask = RingTask | FileTask;

/** Submits `entries` entries of the ring at HAND_RING_FD and waits for their completions. Its exit code is 0. */
export interface RingTask {
  readonly call: 'ring';
  readonly entries: number;
}

/** Calls a function on a file. Its exit code is ANSWERED + the errno, or ANSWERED. */
export type FileTask = StatTask | FallocateTask;

/** A program that could not do its work has another exit code, for instance 1 or 127. */
export const ANSWERED = 128;

interface StatTask {
  readonly call: 'stat';
  /** Absolute: a hand runs in the root directory. */
  readonly path: string;
}

/**
 * Makes the file at least `bytes` bytes long by allocating its last byte (fallocate(2)). Unlike ftruncate(2), this never makes a
 * file shorter, however late it is carried out.
 */
interface FallocateTask {
  readonly call: 'fallocate';
  readonly path: string;
  readonly bytes: number;
}
