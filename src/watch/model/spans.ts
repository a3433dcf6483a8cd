/**
 * Spans: what happened between two readings of counters. A counter that went backwards has started again from 0 (a
 * recovered server, another disk with the same name), so its whole value is new.
 */
import { type BlockCounters, elapsedMs } from '../../stats/block-layer.ts';
import { LATENCY_BUCKETS, STAT_OPS, STAT_WAYS, type StatWay } from '../../stats/layout.ts';
import type { DeviceStats, Histogram, QueueStats, Tally } from '../../stats/reader.ts';

/** Amounts over a time; `rate` makes them amounts per second. */
export interface Span {
  readonly seconds: number;
  readonly block: BlockSpan;
  readonly server: ServerSpan;
}

/** The counts of the block layer, which are what the client sees. */
export interface BlockSpan {
  readonly reads: number;
  readonly readBytes: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeMs: number;
  readonly busyMs: number;
  readonly queueMs: number;
}

/** The counts of the server. */
export interface ServerSpan {
  readonly ways: Readonly<Record<StatWay, Tally>>;
  readonly errors: number;
  readonly latency: Latencies;
}

export interface Latencies {
  readonly read: Histogram;
  readonly write: Histogram;
  readonly other: Histogram;
}

export interface QueueSpan extends Tally {
  readonly batches: number;
  readonly depthSum: number;
}

/** An amount per second; 0 when no time has passed. */
export function rate(amount: number, { seconds }: { readonly seconds: number }): number {
  return seconds > 0 ? amount / seconds : 0;
}

export function grown(from: number, to: number): number {
  return to >= from ? to - from : to;
}

const NO_BLOCK: BlockSpan = {
  reads: 0,
  readBytes: 0,
  readMs: 0,
  writes: 0,
  writtenBytes: 0,
  writeMs: 0,
  busyMs: 0,
  queueMs: 0,
};

/** With `from` null, the span begins where the counters began. */
export function blockSpan(from: BlockCounters | null, to: BlockCounters | null): BlockSpan {
  if (to === null) return NO_BLOCK;
  if (from === null || to.reads < from.reads || to.writes < from.writes) return to;
  return {
    reads: to.reads - from.reads,
    readBytes: grown(from.readBytes, to.readBytes),
    readMs: elapsedMs(from.readMs, to.readMs),
    writes: to.writes - from.writes,
    writtenBytes: grown(from.writtenBytes, to.writtenBytes),
    writeMs: elapsedMs(from.writeMs, to.writeMs),
    busyMs: elapsedMs(from.busyMs, to.busyMs),
    queueMs: elapsedMs(from.queueMs, to.queueMs),
  };
}

/** Whether two readings are of the same server process: the counters of a new one begin at 0. */
export function sameLife(from: DeviceStats | null, to: DeviceStats | null): boolean {
  return (
    from !== null &&
    to !== null &&
    from.serverPid === to.serverPid &&
    from.generation === to.generation &&
    from.startedAtMs === to.startedAtMs
  );
}

export function serverSpan(from: DeviceStats | null, to: DeviceStats | null): ServerSpan {
  const before = sameLife(from, to) ? totals(from) : totals(null);
  const after = totals(to);
  return {
    ways: mapWays((way) => ({
      requests: grown(before.ways[way].requests, after.ways[way].requests),
      bytes: grown(before.ways[way].bytes, after.ways[way].bytes),
    })),
    errors: grown(before.errors, after.errors),
    latency: {
      read: histogramSpan(before.latency.read, after.latency.read),
      write: histogramSpan(before.latency.write, after.latency.write),
      other: histogramSpan(before.latency.other, after.latency.other),
    },
  };
}

export function queueSpan(from: QueueStats | undefined, to: QueueStats): QueueSpan {
  const before = from === undefined ? NO_QUEUE : queueTotal(from);
  const after = queueTotal(to);
  return {
    requests: grown(before.requests, after.requests),
    bytes: grown(before.bytes, after.bytes),
    batches: grown(before.batches, after.batches),
    depthSum: grown(before.depthSum, after.depthSum),
  };
}

const NO_QUEUE: QueueSpan = { requests: 0, bytes: 0, batches: 0, depthSum: 0 };

function queueTotal({ ways, batches, depthSum }: QueueStats): QueueSpan {
  let requests = 0;
  let bytes = 0;
  for (const way of STAT_WAYS) {
    requests += ways[way].requests;
    bytes += ways[way].bytes;
  }
  return { requests, bytes, batches, depthSum };
}

/** The sums over all queues since the server started. */
function totals(stats: DeviceStats | null): ServerSpan {
  const ways = mapWays(() => ({ requests: 0, bytes: 0 }));
  const latency = { read: noHistogram(), write: noHistogram(), other: noHistogram() };
  let errors = 0;
  for (const queue of stats?.queues ?? []) {
    for (const way of STAT_WAYS) {
      ways[way].requests += queue.ways[way].requests;
      ways[way].bytes += queue.ways[way].bytes;
    }
    for (const op of STAT_OPS) errors += queue.ops[op].errors;
    for (const kind of ['read', 'write', 'other'] as const) addHistogram(latency[kind], queue.latency[kind]);
  }
  return { ways, errors, latency };
}

function mapWays(tally: (way: StatWay) => Tally): Record<StatWay, Tally> {
  return { matched: tally('matched'), registered: tally('registered'), copied: tally('copied'), none: tally('none') };
}

function noHistogram(): Histogram {
  return { buckets: Array<number>(LATENCY_BUCKETS).fill(0), sumUs: 0 };
}

function addHistogram(sum: Histogram, one: Histogram): void {
  sum.sumUs += one.sumUs;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) sum.buckets[bucket]! += one.buckets[bucket]!;
}

function histogramSpan(from: Histogram, to: Histogram): Histogram {
  return {
    // Bucket 0 is computed as the requests that no other bucket counts. A request may be counted before its time is, so
    // the difference could be negative for a moment.
    buckets: to.buckets.map((count, bucket) => Math.max(0, count - from.buckets[bucket]!)),
    sumUs: grown(from.sumUs, to.sumUs),
  };
}
