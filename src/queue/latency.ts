/**
 * Measures how long requests are in the server's hands, for the histograms: from the batch in which a request came to
 * the batch in which it was completed. A request that is completed in its own batch is not timed.
 *
 * Reading the clock costs 500 instructions, which at queue depth 1 would be 2 % of a request. So the clock is read at
 * most once per batch, and where batches are small only for every eighth request, which then also counts for the seven
 * before.
 */
import type { StatsWriter } from '../stats/writer.ts';

const EVERY = 8;
/** A constant, because the global `performance` is a getter. */
const clock = performance;

export class LatencySampler {
  /** When the slot's request came, in microseconds. 0: it is not timed. */
  private readonly since: Float64Array;
  /** How many requests it stands for. */
  private readonly weight: Int32Array;
  /** Microseconds. A typed array, because a number property would be a new object at every store. */
  private readonly now = new Float64Array(1);
  private valid = false;
  private waiting = 0;

  constructor(slots: number) {
    this.since = new Float64Array(slots);
    this.weight = new Int32Array(slots);
  }

  /** A new batch begins, and the time that was read is old. */
  expire(): void {
    this.valid = false;
  }

  /** The slot's request will not be completed in its batch. */
  started(slot: number): void {
    const waiting = this.waiting + 1;
    if (waiting < EVERY && !this.valid) {
      this.waiting = waiting;
      return;
    }
    this.read();
    this.since[slot] = this.now[0]!;
    this.weight[slot] = waiting;
    this.waiting = 0;
  }

  /** `kind`: as StatsWriter.latency has it. */
  ended(slot: number, kind: number, stats: StatsWriter): void {
    const since = this.since[slot]!;
    if (since === 0) return;
    this.since[slot] = 0;
    this.read();
    stats.latency(kind, this.now[0]! - since, this.weight[slot]!);
  }

  private read(): void {
    if (this.valid) return;
    // Never 0, which would mean that the request is not timed.
    this.now[0] = clock.now() * 1000 + 1;
    this.valid = true;
  }
}
