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
  /**
   * When each slot's request came, in microseconds; 0 when it is not timed. The element behind those of the slots is
   * the time that was read in this batch: a number property would be a new object at every store, and an array of its
   * own would be so small that V8 keeps it in its heap, where the JIT does not know its address.
   */
  private readonly since: Float64Array;
  /** Index of the time that was read. */
  private readonly now: number;
  /** How many requests the slot's request stands for. */
  private readonly weight: Int32Array;
  private valid = false;
  private waiting = 0;

  constructor(slots: number) {
    this.since = new Float64Array(slots + 1);
    this.now = slots;
    this.weight = new Int32Array(slots);
  }

  /** A new batch begins, and the time that was read is old. */
  expire(): void {
    this.valid = false;
  }

  /** The slot's request will not be completed in its batch. */
  started(slot: number): void {
    const waiting = this.waiting + 1;
    if (!this.valid) {
      if (waiting < EVERY) {
        this.waiting = waiting;
        return;
      }
      this.read();
    }
    this.since[slot] = this.since[this.now]!;
    this.weight[slot] = waiting;
    this.waiting = 0;
  }

  /** `kind` is what StatsWriter.latency calls it. */
  ended(slot: number, kind: number, stats: StatsWriter): void {
    const since = this.since[slot]!;
    if (since === 0) return;
    this.since[slot] = 0;
    if (!this.valid) this.read();
    stats.latency(kind, this.since[this.now]! - since, this.weight[slot]!);
  }

  private read(): void {
    // The time is never 0, which would mean that a request is not timed.
    this.since[this.now] = clock.now() * 1000 + 1;
    this.valid = true;
  }
}
