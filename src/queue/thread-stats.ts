/**
 * The statistics blocks of one queue thread: one per queue that it serves. Most threads serve one queue, and then the
 * JIT knows the writer as a constant, which it does not for an element of an array (docs/decisions/0011).
 */
import type { StatsWriter } from '../stats/writer.ts';
import type { Slots } from './slots.ts';

export interface ThreadStats {
  of(slot: number): StatsWriter;
  batchBegin(): void;
  batchEnd(): void;
}

/** `byQueue`: the writers by queue id, undefined for queues of other threads. */
export function threadStats(slots: Slots, byQueue: readonly (StatsWriter | undefined)[]): ThreadStats {
  const [first, ...others] = byQueue.filter((writer) => writer !== undefined);
  return first !== undefined && others.length === 0 ? new OneQueue(first) : new ManyQueues(slots, byQueue);
}

class OneQueue implements ThreadStats {
  private readonly writer: StatsWriter;

  constructor(writer: StatsWriter) {
    this.writer = writer;
  }

  of(): StatsWriter {
    return this.writer;
  }

  batchBegin(): void {
    this.writer.batchBegin();
  }

  batchEnd(): void {
    this.writer.batchEnd();
  }
}

class ManyQueues implements ThreadStats {
  private readonly slots: Slots;
  private readonly byQueue: readonly (StatsWriter | undefined)[];
  private readonly writers: readonly StatsWriter[];

  constructor(slots: Slots, byQueue: readonly (StatsWriter | undefined)[]) {
    this.slots = slots;
    this.byQueue = byQueue;
    this.writers = byQueue.filter((writer) => writer !== undefined);
  }

  of(slot: number): StatsWriter {
    return this.byQueue[this.slots.queue[slot]!]!;
  }

  batchBegin(): void {
    for (let i = 0; i < this.writers.length; i++) this.writers[i]!.batchBegin();
  }

  batchEnd(): void {
    for (let i = 0; i < this.writers.length; i++) this.writers[i]!.batchEnd();
  }
}
