/** The pauses between attempts that fail: none before the first, and each of the others twice as long, up to five seconds. */

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class Backoff {
  private pause = 0;

  /** Milliseconds until the next attempt. */
  next(): number {
    const { pause } = this;
    this.pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pause * 2));
    return pause;
  }

  /** The next attempt is made at once. */
  reset(): void {
    this.pause = 0;
  }
}
