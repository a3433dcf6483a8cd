/**
 * How long requests are in the server's hands, for the histograms: from the batch in which a request came to the one in
 * which it was completed. A request that is done in its own batch is not timed.
 *
 * Reading the clock costs 500 instructions, which at queue depth 1 would be 2 % of a request. So it is read at most once
 * a batch, and where batches are small only for every eighth request, which then counts for the seven before it too.
 */
import type { StatsWriter } from '../stats/writer.ts';

const EVERY = 8;
/** The global is a getter. */
const clock = performance;

export class LatencySampler {
  /** When the slot's request came, microseconds; 0: it is not timed. */
  private readonly since: Float64Array;
  /** How many requests it stands for. */
  private readonly weight: Int32Array;
  /** A typed array, as a number property would be a new object at every store. */
  private readonly now = new Float64Array(1);
  private valid = false;
  private waiting = 0;

  constructor(slots: number) {
    this.since = new Float64Array(slots);
    this.weight = new Int32Array(slots);
  }

  /** A new batch: what was read of the clock is old. */
  expire(): void {
    this.valid = false;
  }

  /** The slot's request will outlive its batch. */
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
    // Never 0, which means not timed.
    this.now[0] = clock.now() * 1000 + 1;
    this.valid = true;
  }
}
