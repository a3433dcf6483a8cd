/**
 * Tells the threads of a device of each other that their server is about to end (NBD_ESHUTDOWN). Such a server, nbdkit for
 * one, waits for its clients to leave, and tells only those that send it something: a connection without requests would keep
 * it, and so keep the next server from starting.
 */

/** What the threads share. */
export type SharedShutdowns = SharedArrayBuffer;

export function shareShutdowns(): SharedShutdowns {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** One thread's view. */
export class Shutdowns {
  /** How many times a thread has told the others. */
  private readonly told: Int32Array;
  private seen: number;

  constructor(shared: SharedShutdowns) {
    this.told = new Int32Array(shared);
    this.seen = Atomics.load(this.told, 0);
  }

  /** Tells the other threads. */
  tell(): void {
    Atomics.add(this.told, 0, 1);
  }

  /** Whether a thread has told since this one was connected. */
  get isNews(): boolean {
    return Atomics.load(this.told, 0) !== this.seen;
  }

  /** The thread has a new connection. */
  connected(): void {
    this.seen = Atomics.load(this.told, 0);
  }
}
