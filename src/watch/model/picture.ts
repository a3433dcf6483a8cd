/**
 * From samples to what is shown. Pure: the same samples give the same picture, so that every case - a counter that
 * wraps, a device that goes and comes back, a server that dies - is a test with plain data.
 */
import { STAT_WAYS, type StatWay } from '../../stats/layout.ts';
import type { Tally } from '../../stats/reader.ts';
import { eventsBetween, type MonitorEvent, rememberEvents } from './events.ts';
import type { DeviceSample, Sample } from '../sampling/sample.ts';
import { blockSpan, grown, queueSpan, rate, sameLife, serverSpan, type Span } from './spans.ts';
import { type ShownState, stateOf } from './states.ts';

export interface Picture {
  readonly sample: Sample;
  /** Between this sample and the one before; 0 in the first. */
  readonly seconds: number;
  readonly devices: readonly DeviceView[];
  /** Newest last. */
  readonly events: readonly MonitorEvent[];
}

/** Since the last sample, or since the counters began. */
export type Period = 'interval' | 'total';

export interface DeviceView {
  readonly id: number;
  /** `ublkb0`. */
  readonly name: string;
  /** null: another program serves it. */
  readonly target: string | null;
  readonly files: readonly string[];
  readonly dataPath: string | null;
  readonly state: ShownState;
  readonly sizeBytes: number;
  readonly queueCount: number;
  readonly queueDepth: number;
  readonly features: readonly string[];
  readonly serverPid: number;
  readonly serverRuns: boolean;
  /** Of the server; null when it is not ours. */
  readonly upMs: number | null;
  /** Requests on their way through the block layer now. */
  readonly inFlight: number;
  readonly spans: Readonly<Record<Period, Span>>;
  /** Empty when another program serves it. */
  readonly queues: readonly QueueView[];
  /** null: another program serves it. */
  readonly buffers: readonly BufferView[] | null;
  /** Oldest first. */
  readonly history: readonly HistoryPoint[];
}

export interface QueueView {
  readonly id: number;
  /** Requests in the server's hands at this moment. */
  readonly inFlight: number;
  /**
   * How many it has at a time: what it holds now or, where a quick target has none left when one looks, the mean over
   * the batches of the interval.
   */
  readonly depth: number;
  readonly limit: number;
  readonly tallies: Readonly<Record<Period, Tally>>;
}

export interface BufferView {
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  readonly source: string;
  readonly tallies: Readonly<Record<Period, Tally>>;
  /** Hits of each part of the buffer. */
  readonly heat: Readonly<Record<Period, readonly number[]>>;
  /** Of the device's requests that carry data, 0..1; null when there were none. */
  readonly share: Readonly<Record<Period, number | null>>;
}

/** Everything per second. */
export interface HistoryPoint {
  readonly atMs: number;
  readonly requests: number;
  readonly bytes: number;
  readonly matched: number;
  readonly registered: number;
  readonly copied: number;
}

/** Samples that are remembered: five minutes at one a second. */
export const HISTORY_LENGTH = 300;

export function observe(before: Picture | null, sample: Sample): Picture {
  const views = new Map(before?.devices.map((view) => [view.id, view]));
  const samples = new Map(before?.sample.devices.map((device) => [device.id, device]));
  return {
    sample,
    seconds: before === null ? 0 : (sample.atMs - before.sample.atMs) / 1000,
    devices: sample.devices.map((device) =>
      viewOf(device, samples.get(device.id), views.get(device.id)?.history ?? [], sample.wallMs),
    ),
    events: rememberEvents(before?.events ?? [], eventsBetween(before?.sample ?? null, sample)),
  };
}

function viewOf(
  now: DeviceSample,
  earlier: DeviceSample | undefined,
  history: readonly HistoryPoint[],
  wallMs: number,
): DeviceView {
  const { id, own, kernel, stats } = now;
  // Another disk by the same name, or the first look: there is no interval yet.
  const before = earlier?.diskSequence === now.diskSequence || now.block === null ? earlier : undefined;
  const interval = intervalSpan(before, now);
  const spans = { interval, total: totalSpan(now, wallMs) };
  return {
    id,
    name: `ublkb${id}`,
    target: own?.target ?? null,
    files: own?.files ?? [],
    dataPath: own?.dataPath ?? null,
    state: stateOf(now),
    sizeBytes: now.sizeBytes,
    queueCount: kernel?.queues ?? own?.queues ?? 0,
    queueDepth: kernel?.depth ?? own?.depth ?? 0,
    features: kernel?.features ?? own?.features ?? [],
    serverPid: now.serverPid,
    serverRuns: now.serverRuns,
    upMs: stats === null || !now.serverRuns ? null : wallMs - stats.startedAtMs,
    inFlight: now.block?.inFlight ?? 0,
    spans,
    queues: queueViews(before, now),
    buffers: bufferViews(before, now, spans),
    history: before === undefined ? [] : [...history, historyPoint(now.atMs, interval)].slice(-HISTORY_LENGTH),
  };
}

const NOTHING_YET: Span = { seconds: 0, block: blockSpan(null, null), server: serverSpan(null, null) };

function intervalSpan(before: DeviceSample | undefined, now: DeviceSample): Span {
  if (before === undefined) return NOTHING_YET;
  return {
    seconds: (now.atMs - before.atMs) / 1000,
    block: blockSpan(before.block, now.block),
    server: serverSpan(before.stats, now.stats),
  };
}

function totalSpan(now: DeviceSample, wallMs: number): Span {
  const seconds = now.stats === null ? Number.NaN : (wallMs - now.stats.startedAtMs) / 1000;
  return { seconds, block: blockSpan(null, now.block), server: serverSpan(null, now.stats) };
}

function queueViews(before: DeviceSample | undefined, now: DeviceSample): QueueView[] {
  const { stats } = now;
  if (stats === null) return [];
  const earlier = sameLife(before?.stats ?? null, stats) ? before?.stats : null;
  return stats.queues.map((queue) => {
    const total = queueSpan(undefined, queue);
    const interval = queueSpan(before === undefined ? queue : earlier?.queues[queue.id], queue);
    const mean = interval.batches === 0 ? 0 : interval.depthSum / interval.batches;
    // What a dead server held, nobody holds.
    const inFlight = now.serverRuns ? Math.max(0, queue.inFlight) : 0;
    return {
      id: queue.id,
      inFlight,
      depth: Math.min(stats.queueDepth, Math.max(inFlight, mean)),
      limit: stats.queueDepth,
      tallies: { interval, total },
    };
  });
}

const NO_HITS = { requests: 0, bytes: 0, heat: [] };

function bufferViews(
  before: DeviceSample | undefined,
  now: DeviceSample,
  spans: Readonly<Record<Period, Span>>,
): BufferView[] | null {
  const { own, stats } = now;
  if (own === null) return null;
  const continues = sameLife(before?.stats ?? null, stats);
  return own.buffers.map(({ index, length, readOnly, source }) => {
    const total = stats?.buffers.get(index) ?? NO_HITS;
    const first = before === undefined ? total : NO_HITS;
    const earlier = continues ? (before?.stats?.buffers.get(index) ?? NO_HITS) : first;
    const interval = {
      requests: grown(earlier.requests, total.requests),
      bytes: grown(earlier.bytes, total.bytes),
    };
    // Heat is read only while it is on the screen: the first sample that has it has nothing to compare it with.
    const compared = earlier.requests === 0 || earlier.heat.some((hits) => hits > 0);
    return {
      index,
      length,
      readOnly,
      source,
      tallies: { interval, total },
      heat: {
        interval: total.heat.map((hits, part) => (compared ? grown(earlier.heat[part] ?? 0, hits) : 0)),
        total: total.heat,
      },
      share: {
        interval: shareOf(interval.requests, spans.interval),
        total: shareOf(total.requests, spans.total),
      },
    };
  });
}

function historyPoint(atMs: number, span: Span): HistoryPoint {
  const { reads, writes, readBytes, writtenBytes } = span.block;
  const { matched, registered, copied } = span.server.ways;
  const perSecond = (amount: number) => rate(amount, span);
  return {
    atMs,
    requests: perSecond(reads + writes),
    bytes: perSecond(readBytes + writtenBytes),
    matched: perSecond(matched.requests),
    registered: perSecond(registered.requests),
    copied: perSecond(copied.requests),
  };
}

/** The ways of data; `none` is requests that carry none. */
export const DATA_WAYS = STAT_WAYS.filter((way): way is DataWay => way !== 'none');
export type DataWay = Exclude<StatWay, 'none'>;

/** Requests that carry data. */
export function dataRequests({ server: { ways } }: Span): number {
  return DATA_WAYS.reduce((sum, way) => sum + ways[way].requests, 0);
}

/** Of the requests that carry data, 0..1; null when there were none. */
export function wayShare(way: DataWay, span: Span): number | null {
  return shareOf(span.server.ways[way].requests, span);
}

function shareOf(requests: number, span: Span): number | null {
  const all = dataRequests(span);
  // The buffer's counters and the queue's are read an instant apart.
  return all === 0 ? null : Math.min(1, requests / all);
}
