/** What happened to the devices, told from what changed between two samples. */
import { STAT_OPS } from '../../stats/layout.ts';
import type { DeviceStats } from '../../stats/reader.ts';
import type { DeviceSample, Sample, SampledBuffer } from '../sampling/sample.ts';
import { grown, sameLife } from './spans.ts';
import { stateOf, type Tone } from './states.ts';

export type EventKind =
  | 'added'
  | 'deleted'
  | 'server gone'
  | 'stopped'
  | 'recovered'
  | 'registered'
  | 'unregistered'
  | 'errors';

export interface MonitorEvent {
  readonly wallMs: number;
  readonly device: number;
  readonly kind: EventKind;
  readonly text: string;
  readonly tone: Tone;
  /** Of `errors`: how many requests failed. */
  readonly count: number;
}

const REMEMBERED = 500;
/** What a server that was told to leave writes down (server/main.ts). */
const STOPPED = 'the device was stopped';

/** Requests that go on failing are one event with a growing count. */
export function rememberEvents(known: readonly MonitorEvent[], fresh: readonly MonitorEvent[]): MonitorEvent[] {
  const events = [...known];
  for (const event of fresh) {
    const last = events.at(-1);
    if (last !== undefined && last.kind === 'errors' && event.kind === 'errors' && last.device === event.device) {
      const count = last.count + event.count;
      events[events.length - 1] = { ...event, count, text: failedText(count), wallMs: last.wallMs };
    } else {
      events.push(event);
    }
  }
  return events.slice(-REMEMBERED);
}

/** `before` null: nothing is known of what was, and only what is wrong now is worth a word. */
export function eventsBetween(before: Sample | null, now: Sample): MonitorEvent[] {
  const events: MonitorEvent[] = [];
  const tell = (device: number, kind: EventKind, tone: Tone, text: string, count = 0) =>
    events.push({ wallMs: now.wallMs, device, kind, tone, text, count });

  for (const device of now.devices) {
    const earlier = before?.devices.find(({ id }) => id === device.id);
    if (earlier === undefined) tellOfNew(device, before !== null, tell);
    else tellOfChange(earlier, device, tell);
  }
  for (const { id, own } of before?.devices ?? []) {
    if (!now.devices.some((device) => device.id === id)) tell(id, 'deleted', 'neutral', `deleted${named(own?.target)}`);
  }
  return events;
}

type Tell = (device: number, kind: EventKind, tone: Tone, text: string, count?: number) => void;

function tellOfNew(device: DeviceSample, isNew: boolean, tell: Tell): void {
  const { trouble, tone } = stateOf(device);
  if (isNew) tell(device.id, 'added', 'good', `added${named(device.own?.target)}, server pid ${device.serverPid}`);
  else if (trouble !== null) tell(device.id, 'server gone', tone, trouble);
}

function tellOfChange(before: DeviceSample, now: DeviceSample, tell: Tell): void {
  tellOfServer(before, now, tell);
  tellOfBuffers(before, now, tell);
  const failed = grown(sameLife(before.stats, now.stats) ? errorsOf(before.stats) : 0, errorsOf(now.stats));
  if (failed > 0) tell(now.id, 'errors', 'bad', failedText(failed), failed);
}

function tellOfServer(before: DeviceSample, now: DeviceSample, tell: Tell): void {
  const was = stateOf(before);
  const is = stateOf(now);
  const replaced = is.word === 'LIVE' && now.serverPid !== before.serverPid && before.serverPid > 0;
  if (replaced || (was.word !== 'LIVE' && is.word === 'LIVE')) {
    if (was.word === 'DEAD')
      tell(now.id, 'added', 'good', `live${named(now.own?.target)}, server pid ${now.serverPid}`);
    else tell(now.id, 'recovered', 'good', `recovered: server pid ${now.serverPid} in place of ${before.serverPid}`);
  } else if (was.word === 'LIVE' && is.word !== 'LIVE') {
    const trouble = is.trouble ?? is.word;
    if (now.own?.ended === STOPPED) tell(now.id, 'stopped', 'neutral', 'stopped');
    else tell(now.id, 'server gone', 'bad', `${is.word}: ${trouble}`);
  }
}

function tellOfBuffers(before: DeviceSample, now: DeviceSample, tell: Tell): void {
  const had = before.own?.buffers ?? [];
  const has = now.own?.buffers ?? [];
  for (const buffer of had) {
    if (has.some((other) => sameBuffer(buffer, other))) continue;
    tell(now.id, 'unregistered', 'neutral', `buffer ${buffer.index} unregistered: ${buffer.source}`);
  }
  for (const buffer of has) {
    if (had.some((other) => sameBuffer(buffer, other))) continue;
    const access = buffer.readOnly ? ', read-only' : '';
    tell(now.id, 'registered', 'good', `buffer ${buffer.index} registered: ${buffer.source}${access}`);
  }
}

function sameBuffer(a: SampledBuffer, b: SampledBuffer): boolean {
  return a.index === b.index && a.source === b.source && a.length === b.length;
}

function errorsOf(stats: DeviceStats | null): number {
  let errors = 0;
  for (const { ops } of stats?.queues ?? []) for (const op of STAT_OPS) errors += ops[op].errors;
  return errors;
}

function failedText(count: number): string {
  return count === 1 ? '1 request failed' : `${count} requests failed`;
}

function named(target: string | undefined): string {
  return target === undefined ? '' : ` (${target})`;
}
