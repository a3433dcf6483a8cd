/** The ring of a channel, and what wakes the event loop when one of its commands completes. */
import type { RingParts } from '../native/ring/setup.ts';
import { CompletionPipe } from './completion-pipe.ts';
import { closeCommandRing, makeCommandRing } from './open.ts';

export class CommandRing {
  readonly parts: RingParts;
  /** Is called when a command completes that is waited for; at times also when none does. */
  onCompletion: () => void = () => {};
  #pipe: CompletionPipe | undefined;

  constructor(entries: number) {
    this.parts = makeCommandRing(entries);
  }

  /** The pipe that the ring writes to. */
  pipe(): CompletionPipe {
    return (this.#pipe ??= new CompletionPipe(this.parts.fd, () => this.onCompletion()));
  }

  /** The event loop is not kept alive any more. */
  rest(): void {
    this.#pipe?.keepAlive(false);
  }

  close(): void {
    this.#pipe?.close();
    closeCommandRing(this.parts);
  }
}

/**
 * Keeps the ring of a channel that was closed for the next channel: to make one takes longer than most commands do. It keeps nothing of
 * the driver, which can be unloaded meanwhile.
 */
export class SpareRing {
  #ring: CommandRing | undefined;

  take(): CommandRing | undefined {
    const ring = this.#ring;
    this.#ring = undefined;
    return ring;
  }

  /** Closes the ring if there is one already. */
  keep(ring: CommandRing): void {
    if (this.#ring === undefined) this.#ring = ring;
    else ring.close();
  }
}
