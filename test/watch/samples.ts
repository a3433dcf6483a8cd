/** Plain samples: a device that does nothing, and changes to it. */
import { type DeviceView, observe, type Picture } from '../../src/watch/model/picture.ts';
import type { DeviceSample, OwnRecord, Sample } from '../../src/watch/sampling/sample.ts';
import type { BlockCounters } from '../../src/stats/block-layer.ts';
import type { ConnectionStats } from '../../src/stats/connections.ts';
import { LATENCY_BUCKETS, STAT_OPS, type StatWay } from '../../src/stats/layout.ts';
import type { DeviceStats, Histogram, QueueStats } from '../../src/stats/reader.ts';

export const START_MS = 1_800_000_000_000;

/** `seconds` after the first sample. */
export function sampleAt(seconds: number, ...devices: DeviceSample[]): Sample {
  const atMs = 1000 + seconds * 1000;
  return {
    atMs,
    wallMs: START_MS + seconds * 1000,
    devices: devices.map((device) => ({ ...device, atMs })),
    notice: null,
  };
}

export function deviceSample(change: Partial<DeviceSample> = {}): DeviceSample {
  return {
    id: 0,
    atMs: 0,
    state: 'LIVE',
    kernel: { queues: 2, depth: 128, sharedMemory: true },
    own: ownRecord(),
    stats: statsPage(),
    block: blockCounters(),
    sizeBytes: 2 ** 30,
    diskSequence: 7,
    serverPid: 100,
    server: 'running',
    going: false,
    heldBy: null,
    ...change,
  };
}

/** Another program's device. */
export function foreignSample(change: Partial<DeviceSample> = {}): DeviceSample {
  return deviceSample({ own: null, stats: null, ...change });
}

/** A device of which only the disk could be read. */
export function unknownSample(change: Partial<DeviceSample> = {}): DeviceSample {
  return foreignSample({ kernel: null, serverPid: -1, ...change });
}

export function ownRecord(change: Partial<OwnRecord> = {}): OwnRecord {
  return {
    target: 'null',
    files: [],
    sources: change.files ?? [],
    dataPath: 'copy',
    registers: false,
    queues: 2,
    depth: 128,
    sharedMemory: true,
    generation: 0,
    resident: null,
    buffers: [],
    ended: null,
    ...change,
  };
}

export function storedBuffer(index: number, source = '/mnt/huge/buf') {
  return { index, length: 4 << 20, readOnly: false, source };
}

export function blockCounters(change: Partial<BlockCounters> = {}): BlockCounters {
  return {
    reads: 0,
    readBytes: 0,
    readMs: 0,
    writes: 0,
    writtenBytes: 0,
    writeMs: 0,
    inFlight: 0,
    busyMs: 0,
    queueMs: 0,
    ...change,
  };
}

export function statsPage(change: Partial<DeviceStats> = {}): DeviceStats {
  return {
    deviceId: 0,
    nrQueues: 2,
    queueDepth: 128,
    serverPid: 100,
    generation: 0,
    startedAtMs: START_MS - 60_000,
    queues: [queueStats(0), queueStats(1)],
    stuck: null,
    connections: [],
    buffers: new Map(),
    ...change,
  };
}

/** A connection that has been up from the start. */
export function connection(thread: number, change: Partial<ConnectionStats> = {}): ConnectionStats {
  return {
    thread,
    state: 'up',
    sinceMs: START_MS - 60_000,
    reconnects: 0,
    inFlight: 0,
    sentBytes: 0,
    receivedBytes: 0,
    ...change,
  };
}

export interface QueueChange {
  readonly inFlight?: number;
  readonly batches?: number;
  readonly depthSum?: number;
  readonly errors?: number;
  readonly ways?: Partial<Record<StatWay, number>>;
  /** Of reads. */
  readonly buckets?: Readonly<Record<number, number>>;
}

/** Requests of 4 KiB each. */
export function queueStats(id: number, change: QueueChange = {}): QueueStats {
  const { inFlight = 0, batches = 0, depthSum = 0, errors = 0, ways = {}, buckets = {} } = change;
  return {
    id,
    tids: [200 + id],
    inFlight,
    depth: inFlight,
    batches,
    depthSum,
    ops: Object.fromEntries(
      STAT_OPS.map((op) => [op, { ...tally(), errors: op === 'read' ? errors : 0 }]),
    ) as QueueStats['ops'],
    ways: {
      matched: tally(ways.matched),
      registered: tally(ways.registered),
      copied: tally(ways.copied),
      none: tally(ways.none),
    },
    latency: { read: histogram(buckets), write: histogram(), other: histogram() },
  };
}

type Ways = Partial<Record<'matched' | 'registered' | 'copied', number>>;

/** A device whose first queue has done this in the last second. */
export function view(...changes: Parameters<typeof pictureWith>): DeviceView {
  return pictureWith(...changes).devices[0]!;
}

export function pictureWith(ways: Ways, own: Partial<OwnRecord> = {}, change: Partial<DeviceSample> = {}): Picture {
  const requests = Object.values(ways).reduce((sum, one) => sum + one, 0);
  const before = deviceSample({ own: ownRecord(own), ...change });
  const after = {
    ...before,
    stats: statsPage({ queues: [queueStats(0, { ways, batches: 1, depthSum: 1 }), queueStats(1)] }),
    block: blockCounters({ reads: requests }),
  };
  return observe(observe(null, sampleAt(0, before)), sampleAt(1, after));
}

function tally(requests = 0) {
  return { requests, bytes: requests * 4096 };
}

function histogram(counts: Readonly<Record<number, number>> = {}): Histogram {
  return { buckets: Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => counts[bucket] ?? 0), sumUs: 0 };
}
