/**
 * The requests that have waited through the loss of a connection: since when, and how often each was lost. A request keeps
 * this when it is sent again, so one that ends every server it is sent to does not wait for ever. It is empty while no
 * connection is lost.
 *
 * A request that was lost twice is a *suspect*: it may be what ends the server. Suspects are sent one at a time, when all
 * others are answered, and the one that was lost most often comes last. So they cannot take others with them.
 */
const SUSPECT = 2;
const MOST = 255;

export class Losses {
  /** Requests that have seen a connection being lost, and have not been answered since. */
  count = 0;
  /** How many of them are suspects. */
  suspects = 0;
  /** By slot, on the clock of performance.now(); 0: it has seen no loss. */
  private readonly since: Float64Array;
  /** How often it was lost after it was sent. */
  private readonly times: Uint8Array;

  constructor(slots: number) {
    this.since = new Float64Array(slots);
    this.times = new Uint8Array(slots);
  }

  /** Notes that the request waits for a lost server at the time `now`. The time of an earlier loss is kept. */
  add(slot: number, now: number): void {
    if (this.since[slot] !== 0) return;
    this.since[slot] = now;
    this.count++;
  }

  /** Does what `add` does, for a request that was sent on the lost connection: it counts how often that has happened. */
  addSent(slot: number, now: number): void {
    this.add(slot, now);
    if (this.times[slot] === MOST) return;
    this.times[slot]!++;
    if (this.times[slot] === SUSPECT) this.suspects++;
  }

  /** The request is done. */
  end(slot: number): void {
    if (this.since[slot] === 0) return;
    if (this.isSuspect(slot)) this.suspects--;
    this.since[slot] = 0;
    this.times[slot] = 0;
    this.count--;
  }

  isSuspect(slot: number): boolean {
    return this.times[slot]! >= SUSPECT;
  }

  /** The slot of the suspect that was lost least often; -1: there is none. */
  get nextSuspect(): number {
    let next = -1;
    for (let slot = 0; slot < this.times.length; slot++) {
      if (this.isSuspect(slot) && (next < 0 || this.times[slot]! < this.times[next]!)) next = slot;
    }
    return next;
  }

  /** 0: it has seen no loss. */
  sinceOf(slot: number): number {
    return this.since[slot]!;
  }

  /** Since when the request that has waited longest has waited; Infinity: no request waits. */
  get oldest(): number {
    return this.since.reduce((oldest, since) => (since === 0 ? oldest : Math.min(oldest, since)), Infinity);
  }
}
