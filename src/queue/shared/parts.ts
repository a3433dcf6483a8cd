/**
 * The parts of a shared thread that look up the lane of a request and pass the request on. A thread with one device has
 * the objects themselves in these places (../build-thread.ts).
 */
import type { StatsWriter } from '../../stats/writer.ts';
import type { IoRequest, TargetQueue } from '../../targets/target.ts';
import type { DataPath } from '../data-path/data-path.ts';
import type { ThreadStats } from '../thread-stats.ts';
import type { Lanes } from './lanes.ts';

export class SharedTarget implements TargetQueue {
  private readonly lanes: Lanes;
  private readonly request: { readonly place: number };

  /** `request`: the thread's one request, which every call is about. */
  constructor(lanes: Lanes, request: { readonly place: number }) {
    this.lanes = lanes;
    this.request = request;
  }

  queueIo(io: IoRequest): void {
    const { lanes } = this;
    lanes.targets[lanes.of[this.request.place]!]!.queueIo(io);
  }

  operationDone(io: IoRequest, token: number, result: number): void {
    const { lanes } = this;
    lanes.targets[lanes.of[this.request.place]!]!.operationDone(io, token, result);
  }
}

/**
 * The data paths that do nothing for a request, because the kernel has brought its data: copy, get_data and auto_zc. What
 * they set up once is in the slots (lane-slots.ts).
 */
export class SharedPath implements DataPath {
  private readonly lanes: Lanes;

  constructor(lanes: Lanes) {
    this.lanes = lanes;
  }

  wayOf(slot: number): number {
    return this.lanes.way[this.lanes.of[slot]!]!;
  }

  arrive(): boolean {
    return true;
  }

  attach(): void {}

  depart(): boolean {
    return true;
  }

  operationDone(): boolean {
    return false;
  }
}

/** Begins and ends a batch for the lanes that have requests in it, so that a batch costs nothing for all others. */
export class SharedStats implements ThreadStats {
  private readonly lanes: Lanes;
  /** By lane: 1 when its batch has begun. */
  private readonly begun: Uint8Array;
  /** The lanes whose batch has begun. */
  private readonly touched: Int32Array;
  private count = 0;

  /** `most`: how many lanes there can be. */
  constructor(lanes: Lanes, most: number) {
    this.lanes = lanes;
    this.begun = new Uint8Array(most);
    this.touched = new Int32Array(most);
  }

  of(slot: number): StatsWriter {
    const lane = this.lanes.of[slot]!;
    const writer = this.lanes.writers[lane]!;
    if (this.begun[lane] === 0) {
      this.begun[lane] = 1;
      this.touched[this.count++] = lane;
      writer.batchBegin();
    }
    return writer;
  }

  batchBegin(): void {}

  batchEnd(): void {
    for (let i = 0; i < this.count; i++) {
      const lane = this.touched[i]!;
      this.begun[lane] = 0;
      this.lanes.writers[lane]!.batchEnd();
    }
    this.count = 0;
  }
}
