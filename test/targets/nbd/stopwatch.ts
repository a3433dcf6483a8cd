/** Times on the wall clock, on a machine that may be busy. */
import assert from 'node:assert/strict';

const TICK_MS = 10;

/** Measures a time, and by how much this process was kept from running meanwhile: its timers were late by that. */
export class Stopwatch {
  private readonly began = performance.now();
  private lateMs = 0;
  private last = this.began;
  private readonly ticks = setInterval(() => this.tick(), TICK_MS);

  constructor() {
    this.ticks.unref();
  }

  /** It took at least `least` milliseconds, and less than `most` beside those in which nothing could run. */
  requireTime(least: number, most: number): void {
    clearInterval(this.ticks);
    this.tick();
    const took = performance.now() - this.began;
    assert.ok(took >= least && took - this.lateMs < most, `it took ${took} ms, and timers were ${this.lateMs} ms late`);
  }

  private tick(): void {
    const now = performance.now();
    this.lateMs += Math.max(0, now - this.last - 2 * TICK_MS);
    this.last = now;
  }
}
