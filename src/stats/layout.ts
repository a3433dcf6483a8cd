/**
 * The layout of a device's stats page: a file in /run/ublkts that every queue thread writes through a shared mapping and
 * that any process can read. The byte order is the machine's. Counters are 64-bit floats: they are exact up to 2^53, are
 * stored in one piece, and need no BigInt on the hot path.
 *
 * There is one *block* per pair of thread and queue that can serve a request, so that every counter has a single writer.
 * The requests of queue 2 are the sum over the blocks of queue 2.
 *
 * A writer makes `seq` odd when a batch begins and even when it ends. A reader that sees it odd or changed reads again.
 */

export const STATS_MAGIC = 0x73747375; // "usts"
/** Goes up with every change of the layout. A reader refuses other versions. */
export const STATS_VERSION = 1;

export const HEADER_BYTES = 4096;

/** Indices of the header's int32 words. */
export const Header = {
  magic: 0,
  version: 1,
  deviceId: 2,
  nrQueues: 3,
  queueDepth: 4,
  nrBlocks: 5,
  serverPid: 6,
  /** How often the device was recovered. The counters of a new server start at 0. */
  generation: 7,
} as const;

/** Indices of the header's float64 words. */
export const HeaderF64 = {
  /** When the server started (CLOCK_REALTIME), in milliseconds. */
  startedAtMs: 8,
} as const;

/** The operations that are counted separately, in the order of a block. Zone operations are `other`. */
export const STAT_OPS = ['read', 'write', 'flush', 'discard', 'write_zeroes', 'other'] as const;
export type StatOp = (typeof STAT_OPS)[number];

/** The ways in which data travels, in the order of a block; requests without data (FLUSH, DISCARD ...) are `none`. */
export const STAT_WAYS = ['matched', 'registered', 'copied', 'none'] as const;
export type StatWay = (typeof STAT_WAYS)[number];

/**
 * Bucket b counts requests that the server held for [2^(b-1), 2^b) microseconds. A request that is completed in the batch
 * that it came in is not timed; bucket 0 counts the requests that are in no other bucket.
 */
export const LATENCY_BUCKETS = 32;
/** There is one histogram each for reads, for writes, and for everything else. */
export const LATENCY_KINDS = 3;

/** How many registered buffers have counters. The kernel gives out the lowest free index, so this many can be live at once. */
export const BUFFER_SLOTS = 256;
/** The heat strip divides a buffer into this many equal parts. */
export const HEAT_PARTS = 32;

/** Indices of a block's int32 words. */
export const Block = {
  seq: 0,
  queueId: 1,
  threadIndex: 2,
  /** Kernel thread id of the writer. */
  tid: 3,
  /** Requests that came, and requests that were committed, modulo 2^32. The server holds the difference. */
  arrived: 4,
  finished: 5,
  /** Requests that the server held at once in the last batch. A quick target holds none when the batch ends. */
  depth: 6,
  /** Of the request that has been stuck longest, the index in STAT_OPS; see BlockF64.stuck. */
  stuckOp: 7,
} as const;

/** Indices of a block's float64 words. */
export const BlockF64 = {
  /** Batches, each one io_uring_enter. */
  batches: 8,
  /** The sum of `depth` over the batches; the mean depth is depthSum / batches. */
  depthSum: 9,
  /** How many requests have waited in the target for too long. */
  stuck: 10,
  /** The offset of the request that has waited longest, in bytes, and when it arrived, in milliseconds since 1970. */
  stuckOffset: 11,
  stuckSinceMs: 12,
  errors: 16, // + op
  /** Two counters (requests, bytes) per operation and way: + 2 * (op * STAT_WAYS.length + way). */
  cells: 32,
  /** Six numbers about the connection of the thread's target: + an index of Connection. */
  connection: 80,
  latency: 96, // + kind * LATENCY_BUCKETS + bucket
  latencySumUs: 192, // + kind
  bufferRequests: 512, // + buffer index
  bufferBytes: 512 + BUFFER_SLOTS,
} as const;

/** Indices of what is told of a connection. `state` is an index of CONNECTION_STATES plus 1; 0: the target has none. */
export const Connection = {
  state: 0,
  /** When it came into that state, in milliseconds since 1970. */
  sinceMs: 1,
  reconnects: 2,
  inFlight: 3,
  sentBytes: 4,
  receivedBytes: 5,
} as const;

/** `waiting`: it is lost, and requests wait until it is back. `failing`: it is lost, and requests fail until it is back. */
export const CONNECTION_STATES = ['up', 'waiting', 'failing'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Index of the first int32 word of the heat strips: + buffer index * HEAT_PARTS + part. These counters wrap at 2^32. */
export const HEAT_WORD = (BlockF64.bufferBytes + BUFFER_SLOTS) * 2;

/** The bytes of a block that are written without registered buffers. */
const COUNTER_BYTES = 4096;

/** Counters, buffers and heat each take whole pages: pages that nobody writes cost nothing in tmpfs. */
export const BLOCK_BYTES = COUNTER_BYTES + 2 * BUFFER_SLOTS * 8 + BUFFER_SLOTS * HEAT_PARTS * 4;

export function statsFileBytes(nrBlocks: number): number {
  return HEADER_BYTES + nrBlocks * BLOCK_BYTES;
}

export function blockOffset(block: number): number {
  return HEADER_BYTES + block * BLOCK_BYTES;
}

/** The parts of the file that are written, as offsets and lengths in bytes. `buffers`: buffers can be registered. */
export function writtenParts(nrBlocks: number, buffers: boolean): [offset: number, bytes: number][] {
  if (buffers) return [[0, statsFileBytes(nrBlocks)]];
  const blocks = Array.from({ length: nrBlocks }, (_, block): [number, number] => [blockOffset(block), COUNTER_BYTES]);
  return [[0, HEADER_BYTES], ...blocks];
}
