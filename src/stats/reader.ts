/**
 * Reads the stats page of a device. Any process may do so, and the server does not notice. A plain read() sees the same
 * pages as the writers' mapping, so watching needs no FFI.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type ConnectionStats, connectionOf } from './connections.ts';
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
  /** Requests per bucket; see LATENCY_BUCKETS. */
  readonly buckets: number[];
  sumUs: number;
}

export interface QueueStats {
  readonly id: number;
  /** Kernel thread ids of the threads that serve the queue. A server that has ended leaves its own here. */
  readonly tids: number[];
  /** Requests that the server holds now. */
  inFlight: number;
  /** The most requests that the server held at once in the last batch. */
  depth: number;
  batches: number;
  /** The sum of `depth` over the batches. */
  depthSum: number;
  readonly ops: Record<StatOp, OpTally>;
  /** Requests by the way that their data travelled; `none` counts those without data. */
  readonly ways: Record<StatWay, Tally>;
  readonly latency: { readonly read: Histogram; readonly write: Histogram; readonly other: Histogram };
}

/** Requests that have waited in the target for too long, by the one that has waited longest. */
export interface StuckStats {
  requests: number;
  op: StatOp;
  /** Bytes. */
  offset: number;
  /** Milliseconds since 1970. */
  sinceMs: number;
}

export interface BufferStats extends Tally {
  /** How often each part of the buffer was hit, modulo 2^32 per queue; zeros when the heat was not asked for. */
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
  /** null when no request is stuck. */
  stuck: StuckStats | null;
  /** The connections of its target, in the order of the threads; empty for a target without any. */
  readonly connections: ConnectionStats[];
  /** Counters by the kernel's buffer index. Buffers that were never hit are left out. */
  readonly buffers: Map<number, BufferStats>;
}

/** After so many tries a reader takes what it has. A writer's batch is short, so that is rare. */
const MAX_TRIES = 64;

/** Says what to read besides the queues' counters. Reading less copies fewer bytes. */
export interface StatsWishes {
  readonly buffers: boolean;
  /** The heat strips, which are five sixths of a page. Means nothing without `buffers`. */
  readonly heat: boolean;
}

const EVERYTHING: StatsWishes = { buffers: true, heat: true };

/** Returns null when there is no such file, or when it is not (yet) a stats page of this version. */
export function readStats(path: string): DeviceStats | null {
  return new StatsReader().read(path);
}

/** A reader that is used again and again: it allocates its memory once. */
export class StatsReader {
  readonly #header = new ArrayBuffer(HEADER_BYTES);
  readonly #block = new ArrayBuffer(BLOCK_BYTES);
  readonly #after = new Int32Array(1);

  /**
   * Does what readStats does. The file is opened for each reading, because a recovered device has a new file with the
   * same name.
   */
  read(path: string, wishes: StatsWishes = EVERYTHING): DeviceStats | null {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return null;
    }
    try {
      return this.#readPage(fd, wishes);
    } finally {
      closeSync(fd);
    }
  }

  #readPage(fd: number, wishes: StatsWishes): DeviceStats | null {
    if (readSync(fd, new Uint8Array(this.#header), 0, HEADER_BYTES, 0) !== HEADER_BYTES) return null;
    const words = new Int32Array(this.#header);
    if (words[Header.magic] !== STATS_MAGIC || words[Header.version] !== STATS_VERSION) return null;
    const stats: DeviceStats = {
      deviceId: words[Header.deviceId]!,
      nrQueues: words[Header.nrQueues]!,
      queueDepth: words[Header.queueDepth]!,
      serverPid: words[Header.serverPid]!,
      generation: words[Header.generation]!,
      startedAtMs: new Float64Array(this.#header)[HeaderF64.startedAtMs]!,
      queues: Array.from({ length: words[Header.nrQueues]! }, (_, id) => emptyQueue(id)),
      stuck: null,
      connections: [],
      buffers: new Map(),
    };
    const block = new Int32Array(this.#block);
    const counters = new Float64Array(this.#block);
    for (let index = 0; index < words[Header.nrBlocks]!; index++) {
      if (!this.#readBlock(fd, index, bytesFor(wishes))) return null;
      addBlock(stats, block, counters);
      addStuck(stats, block, counters);
      const connection = connectionOf(block, counters);
      if (connection !== null) stats.connections.push(connection);
      if (wishes.buffers) addBuffers(stats.buffers, block, counters, wishes.heat);
    }
    for (const queue of stats.queues) countUntimed(queue);
    return stats;
  }

  /** Fills `#block` with a copy that no batch has changed meanwhile. */
  #readBlock(fd: number, index: number, bytes: number): boolean {
    const target = new Uint8Array(this.#block, 0, bytes);
    const words = new Int32Array(this.#block);
    const after = new Uint8Array(this.#after.buffer);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (readSync(fd, target, 0, bytes, blockOffset(index)) !== bytes) return false;
      readSync(fd, after, 0, 4, blockOffset(index));
      if (words[Block.seq] === this.#after[0] && (this.#after[0]! & 1) === 0) return true;
    }
    return true;
  }
}

/** A block begins with its counters; the counters of the buffers and their heat follow. */
function bytesFor({ buffers, heat }: StatsWishes): number {
  if (!buffers) return BlockF64.bufferRequests * 8;
  return heat ? BLOCK_BYTES : HEAT_WORD * 4;
}

function addBlock(stats: DeviceStats, words: Int32Array, counters: Float64Array): void {
  const queue = stats.queues[words[Block.queueId]!];
  if (queue === undefined) return;
  const tid = words[Block.tid]!;
  if (tid > 0) queue.tids.push(tid);
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
}

function addStuck(stats: DeviceStats, words: Int32Array, counters: Float64Array): void {
  const requests = counters[BlockF64.stuck]!;
  if (requests === 0) return;
  const sinceMs = counters[BlockF64.stuckSinceMs]!;
  const offset = counters[BlockF64.stuckOffset]!;
  const before = stats.stuck;
  const oldest =
    before !== null && before.sinceMs <= sinceMs
      ? before
      : { op: STAT_OPS[words[Block.stuckOp]!] ?? 'other', offset, sinceMs };
  stats.stuck = { ...oldest, requests: requests + (before?.requests ?? 0) };
}

function addBuffers(buffers: Map<number, BufferStats>, words: Int32Array, counters: Float64Array, heat: boolean): void {
  for (let index = 0; index < BUFFER_SLOTS; index++) {
    const requests = counters[BlockF64.bufferRequests + index]!;
    if (requests === 0) continue;
    const buffer = buffers.get(index) ?? { requests: 0, bytes: 0, heat: Array<number>(HEAT_PARTS).fill(0) };
    buffer.requests += requests;
    buffer.bytes += counters[BlockF64.bufferBytes + index]!;
    for (let part = 0; part < (heat ? HEAT_PARTS : 0); part++) {
      buffer.heat[part]! += words[HEAT_WORD + index * HEAT_PARTS + part]! >>> 0;
    }
    buffers.set(index, buffer);
  }
}

/** Requests that were completed in the batch that they came in are not timed. They belong in bucket 0. */
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
  return {
    id,
    tids: [],
    inFlight: 0,
    depth: 0,
    batches: 0,
    depthSum: 0,
    ops: Object.fromEntries(STAT_OPS.map((op) => [op, { requests: 0, bytes: 0, errors: 0 }])) as Record<
      StatOp,
      OpTally
    >,
    ways: Object.fromEntries(STAT_WAYS.map((way) => [way, { requests: 0, bytes: 0 }])) as Record<StatWay, Tally>,
    latency: { read: emptyHistogram(), write: emptyHistogram(), other: emptyHistogram() },
  };
}

function emptyHistogram(): Histogram {
  return { buckets: Array<number>(LATENCY_BUCKETS).fill(0), sumUs: 0 };
}
