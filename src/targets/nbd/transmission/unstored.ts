/**
 * Which acknowledged writes no flush has stored, of all connections of a device: where there are several, a flush on one of them
 * stores what was acknowledged on any (CAN_MULTI_CONN). Hot path: nothing here allocates.
 */
import { UBLK_MAX_NR_QUEUES } from '../../../native/uapi/ublk-device.ts';

/** What the threads share: of each, how many writes were acknowledged, and how many of them a flush has stored. Both wrap around. */
export type SharedUnstored = SharedArrayBuffer;

const MOST_THREADS = UBLK_MAX_NR_QUEUES;

export function shareUnstored(): SharedUnstored {
  return new SharedArrayBuffer(2 * MOST_THREADS * Int32Array.BYTES_PER_ELEMENT);
}

export interface UnstoredOptions {
  readonly shared: SharedUnstored;
  readonly slots: number;
  readonly thread: number;
  readonly threads: number;
}

/** One thread's view. */
export class Unstored {
  private readonly acknowledged: Int32Array;
  private readonly stored: Int32Array;
  private readonly thread: number;
  private readonly threads: number;
  /** How many writes each thread had acknowledged when the flush of a slot was put into its message. */
  private readonly before: Int32Array;

  constructor({ shared, slots, thread, threads }: UnstoredOptions) {
    this.acknowledged = new Int32Array(shared, 0, MOST_THREADS);
    this.stored = new Int32Array(shared, this.acknowledged.byteLength, MOST_THREADS);
    this.thread = thread;
    this.threads = threads;
    this.before = new Int32Array(slots * threads);
  }

  /** A write on this thread's connection is acknowledged. */
  written(): void {
    const { acknowledged, thread } = this;
    acknowledged[thread] = (acknowledged[thread]! + 1) | 0;
  }

  /** The flush of this slot is put into a message: it stores what is acknowledged by now. */
  flushes(slot: number): void {
    const { acknowledged, before, threads } = this;
    for (let thread = 0; thread < threads; thread++) {
      before[slot * threads + thread] = Atomics.load(acknowledged, thread);
    }
  }

  /** That flush has succeeded. Of two that are under way at once, the older one may be answered last. */
  flushed(slot: number): void {
    const { before, stored, threads } = this;
    for (let thread = 0; thread < threads; thread++) {
      const from = before[slot * threads + thread]!;
      let now = Atomics.load(stored, thread);
      while (((from - now) | 0) > 0) {
        const found = Atomics.compareExchange(stored, thread, now, from);
        if (found === now) break;
        now = found;
      }
    }
  }

  /**
   * Whether writes were acknowledged, on any connection of the device, that no flush has stored since: their server may have lost
   * them. The connection that notices the end of a server first speaks for all. A flush on the next one, which no longer stores
   * them, comes later.
   */
  get is(): boolean {
    for (let thread = 0; thread < this.threads; thread++) {
      if (Atomics.load(this.acknowledged, thread) !== Atomics.load(this.stored, thread)) return true;
    }
    return false;
  }
}
