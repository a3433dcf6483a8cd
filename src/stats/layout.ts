/**
 * The shared stats page of a device: a file in /run/ublkts that every queue thread writes through a shared mapping and
 * that any process reads. Native byte order; counters are 64-bit floats (exact to 2^53, stored whole, and no BigInt on
 * the hot path).
 *
 * One *block* per (thread, queue) pair that can serve a request, so that every counter has a single writer:
 * `requests of queue 2` is the sum over the blocks whose queue is 2.
 *
 * A writer makes `seq` odd when a batch begins and even when it ends; a reader that sees it odd or changed reads again.
 */

export const STATS_MAGIC = 0x73747375; // "usts"
/** Counts every change of this file's shapes; a reader refuses another. */
export const STATS_VERSION = 1;

export const HEADER_BYTES = 4096;

/** Int32 word indices in the header. */
export const Header = {
  magic: 0,
  version: 1,
  deviceId: 2,
  nrQueues: 3,
  queueDepth: 4,
  nrBlocks: 5,
  serverPid: 6,
  /** How many times the device was recovered: counters start at 0 in every life. */
  generation: 7,
} as const;

/** Float64 indices in the header. */
export const HeaderF64 = {
  /** CLOCK_REALTIME of the server's start, ms. */
  startedAtMs: 8,
} as const;

/** What is told apart in the counters: the index of each in a block. Zone operations are `other`. */
export const STAT_OPS = ['read', 'write', 'flush', 'discard', 'write_zeroes', 'other'] as const;
export type StatOp = (typeof STAT_OPS)[number];

/** How the data of a request travelled; `none` has no data (FLUSH, DISCARD ...). The index of each in a block. */
export const STAT_WAYS = ['matched', 'registered', 'copied', 'none'] as const;
export type StatWay = (typeof STAT_WAYS)[number];

/**
 * Bucket b counts the times in [2^(b-1), 2^b) microseconds that requests were in the server's hands. A request that is
 * done in the batch it came in is not timed: bucket 0 is what the others leave of the requests.
 */
export const LATENCY_BUCKETS = 32;
/** Read, write, everything else. */
export const LATENCY_KINDS = 3;

/** Registered buffers that have counters; the kernel hands out the lowest free index, so this is a count of live ones. */
export const BUFFER_SLOTS = 256;
/** A buffer is divided into this many equal parts for the heat strip. */
export const HEAT_PARTS = 32;

/** Int32 word indices in a block. */
export const Block = {
  seq: 0,
  queueId: 1,
  threadIndex: 2,
  /** Kernel thread id of the writer. */
  tid: 3,
  /** Requests that came and that were committed, mod 2^32: the difference is in the server's hands now. */
  arrived: 4,
  finished: 5,
  /** Requests in the server's hands at once in the last batch: a quick target has none left when the batch ends. */
  depth: 6,
} as const;

/** Float64 indices in a block. */
export const BlockF64 = {
  /** Batches, each one io_uring_enter. */
  batches: 8,
  /** Sum over the batches of `depth`: its mean is depthSum / batches. */
  depthSum: 9,
  errors: 16, // + op
  /** Two counters (requests, bytes) for each op and way: + 2 * (op * STAT_WAYS.length + way). */
  cells: 32,
  latency: 96, // + kind * LATENCY_BUCKETS + bucket
  latencySumUs: 192, // + kind
  bufferRequests: 512, // + buffer index
  bufferBytes: 512 + BUFFER_SLOTS,
} as const;

/** Int32 word index of the heat strips: + buffer index * HEAT_PARTS + part. They wrap at 2^32. */
export const HEAT_WORD = (BlockF64.bufferBytes + BUFFER_SLOTS) * 2;

/** Counters, then buffers, then heat: whole pages, so that pages which nobody touches cost nothing in tmpfs. */
export const BLOCK_BYTES = 4096 + 2 * BUFFER_SLOTS * 8 + BUFFER_SLOTS * HEAT_PARTS * 4;

export function statsFileBytes(nrBlocks: number): number {
  return HEADER_BYTES + nrBlocks * BLOCK_BYTES;
}

export function blockOffset(block: number): number {
  return HEADER_BYTES + block * BLOCK_BYTES;
}
