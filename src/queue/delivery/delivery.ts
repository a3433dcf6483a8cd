/**
 * How requests come and their results go: one command a tag (per-tag.ts), or many tags a command (batch.ts).
 *
 * Contract: all functions run on the queue thread. A request that was delivered is committed exactly once. `ended` is
 * true when the kernel has taken every command back, which it does when the device stops: then the thread leaves.
 */
export interface Delivery {
  /** Issues the first commands. Their errors show in `problem` after the ring was entered. */
  start(): void;
  /** A completion of KIND_COMMAND, KIND_BATCH_FETCH or KIND_BATCH_COMMAND. */
  completed(userData: number, result: number, flags: number): void;
  /** The request's result: bytes, or -errno. Takes effect at the next `flush` or enter. */
  commit(slot: number, result: number): void;
  /**
   * The batch of completions has been walked. Returns how many completions the next enter is certain to bring at once
   * and that are no reason to come back: the thread waits for one more than these.
   */
  flush(): number;
  readonly ended: boolean;
  /**
   * `commit` puts the request's own command in the ring at once: an entry put there just before with IOSQE_IO_LINK is
   * done, whole, before the command takes effect, and else the command never does.
   */
  readonly linkable: boolean;
  /** The first error of a command that was no request's: -errno, or 0. */
  readonly problem: number;
}

/** What delivery calls with each request: QueueThread. */
export interface Arrivals {
  arrive(slot: number): void;
}
