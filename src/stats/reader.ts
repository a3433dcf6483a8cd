/**
 * Reads a device's stats page. Any process may; the server does not notice. A plain read() of the file sees the same
 * pages as the writers' mapping, so watching needs no FFI.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import {
  Block,
  BLOCK_BYTES,
  BlockF64,
  BUFFER_SLOTS,
  blockOffset,
  HEADER_BYTES,
  HEAT_PARTS,
  HEAT_WORD,
  Header,
  HeaderF64,
  LATENCY_BUCKETS,
  LATENCY_KINDS,
  STAT_OPS,
  STAT_WAYS,
  STATS_MAGIC,
  STATS_VERSION,
  type StatOp,
  type StatWay,
} from './layout.ts';

export interface Tally {
  requests: number;
  bytes: number;
}

export interface OpTally extends Tally {
  errors: number;
}

export interface Histogram {
  /** Index = bucket, see LATENCY_BUCKETS. */
  readonly buckets: number[];
  sumUs: number;
}

export interface QueueStats {
  readonly id: number;
  /** Requests in the server's hands now. */
  inFlight: number;
  /** The most of them at once in the last batch. */
  depth: number;
  batches: number;
  /** Sum of `depth` over the batches. */
  depthSum: number;
  readonly ops: Record<StatOp, OpTally>;
  /** Of the requests that carry data, and those that carry none. */
  readonly ways: Record<StatWay, Tally>;
  readonly latency: { readonly read: Histogram; readonly write: Histogram; readonly other: Histogram };
}

export interface BufferStats extends Tally {
  /** How often each part of the buffer was hit. */
  readonly heat: number[];
}

export interface DeviceStats {
  readonly deviceId: number;
  readonly nrQueues: number;
  readonly queueDepth: number;
  readonly serverPid: number;
  readonly generation: number;
  readonly startedAtMs: number;
  readonly queues: QueueStats[];
  /** By kernel buffer index; only indices that were hit. */
  readonly buffers: Map<number, BufferStats>;
}

/** A writer's batch is short: a reader that keeps meeting it half-way takes what it has after so many tries. */
const MAX_TRIES = 64;

/** null when there is no such file or it is not (or not yet) a stats page of this version. */
export function readStats(path: string): DeviceStats | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return read(fd);
  } finally {
    closeSync(fd);
  }
}

function read(fd: number): DeviceStats | null {
  const header = new ArrayBuffer(HEADER_BYTES);
  if (readSync(fd, new Uint8Array(header), 0, HEADER_BYTES, 0) !== HEADER_BYTES) return null;
  const words = new Int32Array(header);
  if (words[Header.magic] !== STATS_MAGIC || words[Header.version] !== STATS_VERSION) return null;
  const stats: DeviceStats = {
    deviceId: words[Header.deviceId]!,
    nrQueues: words[Header.nrQueues]!,
    queueDepth: words[Header.queueDepth]!,
    serverPid: words[Header.serverPid]!,
    generation: words[Header.generation]!,
    startedAtMs: new Float64Array(header)[HeaderF64.startedAtMs]!,
    queues: Array.from({ length: words[Header.nrQueues]! }, (_, id) => emptyQueue(id)),
    buffers: new Map(),
  };
  const block = new ArrayBuffer(BLOCK_BYTES);
  for (let index = 0; index < words[Header.nrBlocks]!; index++) {
    if (!readBlock(fd, index, block)) return null;
    addBlock(stats, new Int32Array(block), new Float64Array(block));
  }
  for (const queue of stats.queues) countUntimed(queue);
  return stats;
}

/** Fills `block` with a copy that no batch moved under. */
function readBlock(fd: number, index: number, block: ArrayBuffer): boolean {
  const bytes = new Uint8Array(block);
  const words = new Int32Array(block);
  const after = new Int32Array(1);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (readSync(fd, bytes, 0, BLOCK_BYTES, blockOffset(index)) !== BLOCK_BYTES) return false;
    readSync(fd, new Uint8Array(after.buffer), 0, 4, blockOffset(index));
    if (words[Block.seq] === after[0] && (after[0]! & 1) === 0) return true;
  }
  return true;
}

function addBlock(stats: DeviceStats, words: Int32Array, counters: Float64Array): void {
  const queue = stats.queues[words[Block.queueId]!];
  if (queue === undefined) return;
  queue.inFlight += (words[Block.arrived]! - words[Block.finished]!) | 0;
  queue.depth += words[Block.depth]!;
  queue.batches += counters[BlockF64.batches]!;
  queue.depthSum += counters[BlockF64.depthSum]!;
  STAT_OPS.forEach((op, o) => {
    queue.ops[op].errors += counters[BlockF64.errors + o]!;
    STAT_WAYS.forEach((way, w) => {
      const cell = BlockF64.cells + 2 * (o * STAT_WAYS.length + w);
      for (const tally of [queue.ops[op], queue.ways[way]]) {
        tally.requests += counters[cell]!;
        tally.bytes += counters[cell + 1]!;
      }
    });
  });
  const kinds = [queue.latency.read, queue.latency.write, queue.latency.other];
  for (let kind = 0; kind < LATENCY_KINDS; kind++) {
    const histogram = kinds[kind]!;
    histogram.sumUs += counters[BlockF64.latencySumUs + kind]!;
    for (let b = 0; b < LATENCY_BUCKETS; b++) {
      histogram.buckets[b]! += counters[BlockF64.latency + kind * LATENCY_BUCKETS + b]!;
    }
  }
  for (let index = 0; index < BUFFER_SLOTS; index++) {
    const requests = counters[BlockF64.bufferRequests + index]!;
    if (requests === 0) continue;
    const buffer = stats.buffers.get(index) ?? { requests: 0, bytes: 0, heat: Array<number>(HEAT_PARTS).fill(0) };
    buffer.requests += requests;
    buffer.bytes += counters[BlockF64.bufferBytes + index]!;
    for (let part = 0; part < HEAT_PARTS; part++) {
      buffer.heat[part]! += words[HEAT_WORD + index * HEAT_PARTS + part]! >>> 0;
    }
    stats.buffers.set(index, buffer);
  }
}

/** Requests that were done in the batch they came in were not timed; they belong in bucket 0. */
function countUntimed(queue: QueueStats): void {
  const { read, write, ...others } = queue.ops;
  const rest = Object.values(others).reduce((sum, op) => sum + op.requests, 0);
  const totals: [Histogram, number][] = [
    [queue.latency.read, read.requests],
    [queue.latency.write, write.requests],
    [queue.latency.other, rest],
  ];
  for (const [histogram, requests] of totals) {
    const timed = histogram.buckets.reduce((sum, count) => sum + count, 0);
    histogram.buckets[0]! += Math.max(0, requests - timed);
  }
}

function emptyQueue(id: number): QueueStats {
  const histogram = (): Histogram => ({ buckets: Array<number>(LATENCY_BUCKETS).fill(0), sumUs: 0 });
  return {
    id,
    inFlight: 0,
    depth: 0,
    batches: 0,
    depthSum: 0,
    ops: Object.fromEntries(STAT_OPS.map((op) => [op, { requests: 0, bytes: 0, errors: 0 }])) as Record<
      StatOp,
      OpTally
    >,
    ways: Object.fromEntries(STAT_WAYS.map((way) => [way, { requests: 0, bytes: 0 }])) as Record<StatWay, Tally>,
    latency: { read: histogram(), write: histogram(), other: histogram() },
  };
}
