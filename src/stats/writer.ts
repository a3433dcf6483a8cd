/**
 * Writes one block of the stats page, on its queue thread, with plain stores to typed arrays over the shared mapping.
 * Nothing here allocates, locks or makes a system call. The layout is chosen for few stores: a finished request costs four
 * read-modify-writes in two cache lines.
 */
import { Block, BlockF64, BUFFER_SLOTS, HEAT_PARTS, HEAT_WORD, LATENCY_BUCKETS, STAT_WAYS } from './layout.ts';

// Constants of this module are compiled into the hot path as numbers; fields of an imported object are not.
const WAYS = STAT_WAYS.length;
const { seq: SEQ, arrived: ARRIVED, finished: FINISHED, depth: DEPTH } = Block;
const {
  batches: BATCHES,
  depthSum: DEPTH_SUM,
  cells: CELLS,
  latency: LATENCY,
  latencySumUs: LATENCY_SUM_US,
} = BlockF64;

export class StatsWriter {
  readonly words: Int32Array;
  readonly counters: Float64Array;
  /** The number of arrived requests, and of those in hand, when the last batch ended. */
  private arrivedBefore = 0;
  private inHandBefore = 0;

  /** `memory` holds BLOCK_BYTES of the mapped stats file, aligned to 8 bytes. */
  constructor(memory: ArrayBufferLike, byteOffset: number, byteLength: number) {
    this.words = new Int32Array(memory, byteOffset, byteLength / 4);
    this.counters = new Float64Array(memory, byteOffset, byteLength / 8);
  }

  /** `seq` is odd from here to `batchEnd`, while counters change. There is one writer, so a plain increment will do. */
  batchBegin(): void {
    this.words[SEQ]!++;
  }

  batchEnd(): void {
    const words = this.words;
    const arrived = words[ARRIVED]!;
    const depth = this.inHandBefore + ((arrived - this.arrivedBefore) | 0);
    words[DEPTH] = depth;
    this.counters[BATCHES]!++;
    this.counters[DEPTH_SUM]! += depth;
    this.arrivedBefore = arrived;
    this.inHandBefore = (arrived - words[FINISHED]!) | 0;
    words[SEQ]!++;
  }

  arrived(): void {
    this.words[ARRIVED]!++;
  }

  finished(op: number, way: number, bytes: number): void {
    const cell = CELLS + 2 * (op * WAYS + way);
    this.words[FINISHED]!++;
    this.counters[cell]!++;
    this.counters[cell + 1]! += bytes;
  }

  failed(op: number): void {
    this.counters[BlockF64.errors + op]!++;
  }

  /** `kind` is 0 for a read, 1 for a write, 2 for others; the measured request stands for `weight` requests. */
  latency(kind: number, us: number, weight: number): void {
    const bucket = us < 1 ? 0 : Math.min(LATENCY_BUCKETS - 1, 32 - Math.clz32(us));
    this.counters[LATENCY + kind * LATENCY_BUCKETS + bucket]! += weight;
    this.counters[LATENCY_SUM_US + kind]! += us * weight;
  }

  /** Publishes how many requests are stuck in the target, and which has been so for longest. `op`: index in STAT_OPS. */
  stuck(requests: number, op: number, offset: number, sinceMs: number): void {
    this.words[SEQ]!++;
    this.words[Block.stuckOp] = op;
    this.counters[BlockF64.stuck] = requests;
    this.counters[BlockF64.stuckOffset] = offset;
    this.counters[BlockF64.stuckSinceMs] = sinceMs;
    this.words[SEQ]!++;
  }

  /** Counts a request that matched registered buffer `index`, in part 0..HEAT_PARTS-1 of it. */
  hit(index: number, bytes: number, part: number): void {
    if (index >= BUFFER_SLOTS) return;
    this.counters[BlockF64.bufferRequests + index]!++;
    this.counters[BlockF64.bufferBytes + index]! += bytes;
    this.words[HEAT_WORD + index * HEAT_PARTS + part]!++;
  }

  /** Sets the counters of a buffer to 0. The server's main thread does so when no request can match the index. */
  forget(index: number): void {
    if (index >= BUFFER_SLOTS) return;
    this.counters[BlockF64.bufferRequests + index] = 0;
    this.counters[BlockF64.bufferBytes + index] = 0;
    this.words.fill(0, HEAT_WORD + index * HEAT_PARTS, HEAT_WORD + (index + 1) * HEAT_PARTS);
  }
}
