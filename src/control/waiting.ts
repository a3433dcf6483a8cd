/** How a call that may have to wait is watched, bounded and given up. */
import type { UblkError } from '../errors.ts';
import { type Kinds, optional, requireKinds } from '../kinds.ts';

/** The options of every function that may wait. */
export interface WaitOptions {
  /**
   * Gives the call up: its promise rejects with the signal's reason. What the kernel was asked to do is not taken back,
   * and may still happen.
   */
  readonly signal?: AbortSignal | undefined;
  /** Is told what the call waits for, each time that this changes: `waiting for the server (pid 12) to leave`. */
  readonly onWaiting?: ((what: string) => void) | undefined;
  /**
   * The longest wait for one answer of the driver or of a server that runs, in milliseconds, or Infinity. The default is 30 s
   * where a call names no other. It does not bound the start of a server, which takes at most 150 s.
   */
  readonly timeoutMs?: number | undefined;
}

const KINDS: Kinds<keyof WaitOptions> = {
  signal: optional({ is: (value) => value instanceof AbortSignal, words: 'an AbortSignal' }),
  onWaiting: optional({ is: (value) => typeof value === 'function', words: 'a function' }),
  timeoutMs: optional({ is: (value) => typeof value === 'number' && value >= 0, words: 'a number from 0 up' }),
};

/**
 * The beginning of a call that may wait: throws the reason of a signal that has aborted already, and a UblkError for options
 * that are not of their kinds; `others` are options that the call has besides.
 */
export function requireWaiting(options: WaitOptions, others: Kinds = {}): void {
  requireKinds(options, { ...KINDS, ...others });
  options.signal?.throwIfAborted();
}

/** Commands wait for queues to drain and for servers to leave. A longer wait means that something is wrong. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface Bound {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Makes the error of a wait that took too long. */
  readonly late: () => UblkError;
}

/** Nearly 25 days. A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Settles as `answer` does, unless the time runs out or the signal aborts first. A time that no timer has is no bound. */
export async function bounded<T>(answer: Promise<T>, { signal, timeoutMs, late }: Bound): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(() => over.reject(late()), timeoutMs);
  try {
    return await unlessAborted(Promise.race([answer, over.promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles as `answer` does, unless the signal aborts first. */
export async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  // When the wait is given up, nobody handles a later rejection.
  answer.catch(() => {});
  signal?.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const abort = (): void => ended.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, ended.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Settles as `answer` does, or resolves to `late` when `answer` has not settled after `timeoutMs` milliseconds. */
export async function withinMs<T, L>(answer: Promise<T>, timeoutMs: number, late: L): Promise<T | L> {
  const ended = Promise.withResolvers<L>();
  const timer = setTimeout(() => ended.resolve(late), timeoutMs);
  try {
    return await Promise.race([answer, ended.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Passes on what is waited for, once for each change. */
export function waitingReporter(onWaiting: WaitOptions['onWaiting']): (what: string) => void {
  let last = '';
  return (what) => {
    if (what === last) return;
    last = what;
    onWaiting?.(what);
  };
}
