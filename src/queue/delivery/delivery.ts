/**
 * How requests arrive and their results go back: by one command per tag (per-tag.ts), or by one command for many tags
 * (batch.ts).
 *
 * Contract
 * - All functions run on the queue thread. A request that was delivered is committed exactly once.
 * - The driver takes commands back when the device stops or is quiesced, but only those of tags that have no request:
 *   the command with which a request under way is committed is armed again and never taken back. So the first abort
 *   means that the device leaves this server. The delivery then drains: it ends as soon as no request is in its hands,
 *   and the thread leaves. The commands that are still armed are cancelled by the kernel when the thread exits.
 */
import type { Ring } from '../../native/ring/ring.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';

export interface Delivery {
  /** Issues the first commands. If one is refused, `problem` says so after the ring was entered. */
  start(): void;
  /**
   * Takes a completion of KIND_COMMAND, KIND_BATCH_FETCH or KIND_BATCH_COMMAND, and passes on the requests in it. `flags`
   * are those of the completion; they are not read for KIND_COMMAND, and 0.
   */
  completed(userData: number, result: number, flags: number, arrivals: Arrivals): void;
  /** Commits a request with its result: bytes, or -errno. It takes effect at the next `flush` or enter. */
  commit(slot: number, result: number): void;
  /**
   * Called when a batch of completions has been walked. Returns how many completions the next enter is certain to bring
   * at once that are no reason to return from it: the thread waits for one more than these. A negative number: the next
   * enter does not wait.
   */
  flush(): number;
  /** The device leaves this server: end as soon as no request is in hand, as after an abort. */
  drain(): void;
  /** The delivery drains, and no request is in hand. Results may still wait in the ring for the next enter. */
  readonly ended: boolean;
  /**
   * Whether `commit` puts a command of the request's own in the ring at once. An entry put there just before it with
   * IOSQE_IO_LINK is then completed before the command takes effect; if the entry fails, the command never does.
   */
  readonly linkable: boolean;
  /** The first error of a command that belongs to no request: -errno, or 0. */
  readonly problem: number;
}

/** Takes each request that is delivered: the queue thread. */
export interface Arrivals {
  arrive(slot: number): void;
}

/** The arguments of the constructor of a delivery. */
export interface DeliveryParts {
  readonly ring: Ring;
  readonly slots: Slots;
  /** The slots that this thread serves, in the order in which they are fetched. */
  readonly mine: readonly number[];
  readonly device: CharDevice;
  /** All queues' descriptors, as words. */
  readonly descriptors: Int32Array;
  readonly beforeFetch: (slot: number) => void;
}
