/**
 * The picture: the state of every device at one time, worked out from samples. Pure: the same samples give the same
 * picture, so that a counter that wraps, a device that goes and comes back, or a server that dies is a test with plain
 * data.
 */
import { secondsSince } from '../../stats/age.ts';
import { STAT_WAYS, type StatWay } from '../../stats/layout.ts';
import type { ConnectionStats } from '../../stats/connections.ts';
import type { Tally } from '../../stats/reader.ts';
import { eventsBetween, type MonitorEvent, type ObservedDevice, rememberEvents } from './events.ts';
import { isPaused } from '../../record/paused.ts';
import { isServing } from '../../record/process-state.ts';
import type { DeviceSample, Sample } from '../sampling/sample.ts';
import { type Owner, ownerOf } from './owner.ts';
import { blockSpan, grown, queueSpan, rate, sameLife, serverSpan, type Span } from './spans.ts';
import { type ShownState, stateOf } from './states.ts';

export interface Picture {
  readonly sample: Sample;
  /** Seconds since the sample before; 0 in the first picture. */
  readonly seconds: number;
  readonly devices: readonly DeviceView[];
  /** The newest is last. */
  readonly events: readonly MonitorEvent[];
}

/** `interval`: since the sample before; `total`: since the counters began. */
export type Period = 'interval' | 'total';

export interface DeviceView {
  readonly id: number;
  /** `ublkb0`. */
  readonly name: string;
  readonly owner: Owner;
  /** null for a device that is not known to be ours. */
  readonly target: string | null;
  readonly files: readonly string[];
  /** The files, or what takes their place: the URI of an export, or a program. */
  readonly sources: readonly string[];
  readonly dataPath: string | null;
  /** Whether io_uring uses the request's own pages. */
  readonly registers: boolean;
  readonly state: ShownState;
  readonly sizeBytes: number;
  /** 0 where neither the driver nor a record could be read, as `queueDepth`. */
  readonly queueCount: number;
  readonly queueDepth: number;
  readonly sharedMemory: boolean;
  /** 0 or less when there is no server, and when it is not known which it is. */
  readonly serverPid: number;
  /** The name of the resident server; null for a device with a process of its own. */
  readonly resident: string | null;
  readonly serverRuns: boolean;
  /** How long the server has been running; null when it is not ours. */
  readonly upMs: number | null;
  /** Requests that the block layer is waiting for now. */
  readonly inFlight: number;
  /** Time during which requests have been in flight and none has completed; 0 when there are none in flight. */
  readonly stalledMs: number;
  readonly spans: Readonly<Record<Period, Span>>;
  /** Empty for a device that is not known to be ours. */
  readonly queues: readonly QueueView[];
  /** null for a device that is not known to be ours. */
  readonly buffers: readonly BufferView[] | null;
  /** The connections of its target; empty for a target without any. */
  readonly connections: readonly ConnectionStats[];
  /** The oldest is first. */
  readonly history: readonly HistoryPoint[];
}

export interface QueueView {
  readonly id: number;
  /** Requests that the server holds now. */
  readonly inFlight: number;
  /**
   * How many requests the server holds at a time: the number it holds now or, for a quick target that has none left when
   * the sample is taken, the mean over the batches of the interval.
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
  /** The part of the device's requests with data that matched this buffer, 0..1; null when there were none. */
  readonly share: Readonly<Record<Period, number | null>>;
}

/** One interval of the history; every amount is per second. */
export interface HistoryPoint {
  readonly atMs: number;
  readonly requests: number;
  readonly bytes: number;
  readonly matched: number;
  readonly registered: number;
  readonly copied: number;
}

/** How many intervals are remembered: five minutes at one sample per second. */
const HISTORY_LENGTH = 300;

/** The picture after `sample`; `before` is the picture of the sample before, null at the first. */
export function observe(before: Picture | null, sample: Sample): Picture {
  const views = new Map(before?.devices.map((view) => [view.id, view]));
  const samples = new Map(before?.sample.devices.map((device) => [device.id, device]));
  const devices = sample.devices.map((device) =>
    viewOf(device, samples.get(device.id), views.get(device.id), sample.wallMs),
  );
  const known = before === null ? null : observedDevices(before.sample, before.devices);
  const fresh = eventsBetween(known, observedDevices(sample, devices), sample.wallMs);
  return {
    sample,
    seconds: before === null ? 0 : (sample.atMs - before.sample.atMs) / 1000,
    devices,
    events: rememberEvents(before?.events ?? [], fresh),
  };
}

/** The views of a picture are in the order of its samples. */
function observedDevices({ devices }: Sample, views: readonly DeviceView[]): ObservedDevice[] {
  return views.flatMap(({ state }, at) => {
    const sample = devices[at];
    return sample === undefined ? [] : [{ sample, state }];
  });
}

function viewOf(
  now: DeviceSample,
  earlier: DeviceSample | undefined,
  earlierView: DeviceView | undefined,
  wallMs: number,
): DeviceView {
  const { id, own, kernel, stats } = now;
  // There is no interval yet at the first look, or when another disk has taken the name.
  const before = earlier?.diskSequence === now.diskSequence || now.block === null ? earlier : undefined;
  const interval = intervalSpan(before, now);
  const spans = { interval, total: totalSpan(now, wallMs) };
  const stalledMs = before === undefined ? 0 : stalledFor(before, now, interval, earlierView?.stalledMs ?? 0);
  const serverRuns = isServing(now.server);
  return {
    id,
    name: `ublkb${id}`,
    owner: ownerOf(now),
    target: own?.target ?? null,
    files: own?.files ?? [],
    sources: own?.sources ?? [],
    dataPath: own?.dataPath ?? null,
    registers: own?.registers ?? false,
    state: stateOf(now, stalledMs, wallMs),
    sizeBytes: now.sizeBytes,
    queueCount: kernel?.queues ?? own?.queues ?? 0,
    queueDepth: kernel?.depth ?? own?.depth ?? 0,
    sharedMemory: kernel?.sharedMemory ?? own?.sharedMemory ?? false,
    serverPid: now.serverPid,
    resident: own?.resident ?? null,
    serverRuns,
    upMs: stats === null || !serverRuns ? null : wallMs - stats.startedAtMs,
    inFlight: now.block?.inFlight ?? 0,
    stalledMs,
    spans,
    queues: queueViews(before, now),
    buffers: bufferViews(before, now, spans),
    connections: serverRuns ? (stats?.connections ?? []) : [],
    history:
      before === undefined
        ? []
        : [...(earlierView?.history ?? []), historyPoint(now.atMs, interval)].slice(-HISTORY_LENGTH),
  };
}

/**
 * Requests were in flight at both ends of the interval, and neither the block layer nor the server completed one. A server
 * that is new, or was paused, has not had them before: it has its own time to complete one.
 */
function stalledFor(before: DeviceSample, now: DeviceSample, interval: Span, stalledMs: number): number {
  if (!isAtWork(before) || !isAtWork(now) || before.serverPid !== now.serverPid) return 0;
  const inFlight = Math.min(before.block?.inFlight ?? 0, now.block?.inFlight ?? 0);
  const { block, server } = interval;
  const completed = block.reads + block.writes + STAT_WAYS.reduce((sum, way) => sum + server.ways[way].requests, 0);
  return inFlight > 0 && completed === 0 ? stalledMs + interval.seconds * 1000 : 0;
}

function isAtWork({ state, server }: DeviceSample): boolean {
  return state === 'LIVE' && !isPaused(server);
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
  const seconds = now.stats === null ? Number.NaN : secondsSince(now.stats.startedAtMs, wallMs);
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
    // The counters of a server that has ended still say what it held.
    const inFlight = isServing(now.server) ? Math.max(0, queue.inFlight) : 0;
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
    // Heat is read only while it is on the screen, so the first sample that has it cannot be compared with the one before.
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

/** The ways in which data travels; `none` counts requests that carry no data. */
export const DATA_WAYS = STAT_WAYS.filter((way): way is DataWay => way !== 'none');
export type DataWay = Exclude<StatWay, 'none'>;

/** How many requests carried data. */
export function dataRequests({ server: { ways } }: Span): number {
  return DATA_WAYS.reduce((sum, way) => sum + ways[way].requests, 0);
}

/** The part of the requests with data that travelled this way, 0..1; null when there were none. */
export function wayShare(way: DataWay, span: Span): number | null {
  return shareOf(span.server.ways[way].requests, span);
}

function shareOf(requests: number, span: Span): number | null {
  const all = dataRequests(span);
  // A buffer's counters are read an instant after those of the queue, and may be ahead of them.
  return all === 0 ? null : Math.min(1, requests / all);
}
