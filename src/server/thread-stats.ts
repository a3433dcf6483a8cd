/** The statistics blocks of one queue thread: one for each queue that it serves. */
import type { StatsWriter } from '../stats/writer.ts';
import type { Slots } from './slots.ts';

export class ThreadStats {
  private readonly slots: Slots;
  /** By queue id. */
  private readonly byQueue: readonly (StatsWriter | undefined)[];
  private readonly all: readonly StatsWriter[];
  /** Of a thread with one queue, as most are: a constant to the JIT, which an element of an array is not. */
  private readonly only: StatsWriter | null;

  constructor(slots: Slots, byQueue: readonly (StatsWriter | undefined)[]) {
    this.slots = slots;
    this.byQueue = byQueue;
    this.all = byQueue.filter((writer) => writer !== undefined);
    this.only = this.all.length === 1 ? (this.all[0] ?? null) : null;
  }

  of(slot: number): StatsWriter {
    return this.only ?? this.byQueue[this.slots.queue[slot]!]!;
  }

  batchBegin(): void {
    if (this.only !== null) this.only.batchBegin();
    else for (let i = 0; i < this.all.length; i++) this.all[i]!.batchBegin();
  }

  batchEnd(): void {
    if (this.only !== null) this.only.batchEnd();
    else for (let i = 0; i < this.all.length; i++) this.all[i]!.batchEnd();
  }
}
