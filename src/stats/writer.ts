/**
 * One block of the stats page, as its queue thread writes it. Plain stores to typed arrays over the shared mapping:
 * nothing here allocates, locks or makes a system call.
 */
import { Block, BlockF64, BUFFER_SLOTS, HEAT_PARTS, HEAT_WORD, LATENCY_BUCKETS } from './layout.ts';

export class StatsWriter {
  readonly words: Int32Array;
  readonly counters: Float64Array;

  /** `memory`: BLOCK_BYTES of the mapped stats file, 8-byte aligned. */
  constructor(memory: ArrayBuffer, byteOffset: number, byteLength: number) {
    this.words = new Int32Array(memory, byteOffset, byteLength / 4);
    this.counters = new Float64Array(memory, byteOffset, byteLength / 8);
  }

  /** A batch begins or ends: odd while counters move. One writer, so a plain increment will do. */
  flip(): void {
    this.words[Block.seq]!++;
  }

  enter(): void {
    this.counters[BlockF64.enters]!++;
  }

  arrived(): void {
    const now = this.words[Block.inFlight]! + 1;
    this.words[Block.inFlight] = now;
    if (now > this.words[Block.inFlightMax]!) this.words[Block.inFlightMax] = now;
  }

  finished(op: number, bytes: number): void {
    this.words[Block.inFlight]!--;
    this.counters[BlockF64.requests + op]!++;
    this.counters[BlockF64.bytes + op]! += bytes;
  }

  failed(op: number): void {
    this.counters[BlockF64.errors + op]!++;
  }

  travelled(way: number, bytes: number): void {
    this.counters[BlockF64.wayRequests + way]!++;
    this.counters[BlockF64.wayBytes + way]! += bytes;
  }

  /** `kind`: 0 read, 1 write, 2 other. */
  latency(kind: number, us: number): void {
    const bucket = us < 1 ? 0 : Math.min(LATENCY_BUCKETS - 1, 32 - Math.clz32(us));
    this.counters[BlockF64.latency + kind * LATENCY_BUCKETS + bucket]!++;
    this.counters[BlockF64.latencySumUs + kind]! += us;
  }

  /** A request matched registered buffer `index`; `part` is where in it, 0..HEAT_PARTS-1. */
  hit(index: number, bytes: number, part: number): void {
    if (index >= BUFFER_SLOTS) return;
    this.counters[BlockF64.bufferRequests + index]!++;
    this.counters[BlockF64.bufferBytes + index]! += bytes;
    this.words[HEAT_WORD + index * HEAT_PARTS + part]!++;
  }

  /** The kernel gave a freed index to a new buffer: its counters start again. */
  forget(index: number): void {
    if (index >= BUFFER_SLOTS) return;
    this.counters[BlockF64.bufferRequests + index] = 0;
    this.counters[BlockF64.bufferBytes + index] = 0;
    this.words.fill(0, HEAT_WORD + index * HEAT_PARTS, HEAT_WORD + (index + 1) * HEAT_PARTS);
  }
}
