/** What a hand is asked to do: one thing, which may keep it for ever. */
export type HandTask = RingTask | FileTask;

/** Submits `entries` entries of the ring at HAND_RING_FD and waits for their completions. Its exit code is 0. */
export interface RingTask {
  readonly call: 'ring';
  readonly entries: number;
}

/** Makes one system call on a file. Its exit code is the errno, or 0. */
export type FileTask = StatTask | TruncateTask;

interface StatTask {
  readonly call: 'stat';
  /** Absolute: a hand runs in the root directory. */
  readonly path: string;
}

interface TruncateTask {
  readonly call: 'truncate';
  readonly path: string;
  readonly bytes: number;
}
