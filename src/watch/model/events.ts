/** Finds the events of the devices by comparing two observations of them. */
import { STAT_OPS } from '../../stats/layout.ts';
import type { DeviceStats } from '../../stats/reader.ts';
import { describeStuck } from '../../stats/stuck.ts';
import type { DeviceSample, SampledBuffer } from '../sampling/sample.ts';
import { type ConnectionChange, connectionChanges } from './connection-changes.ts';
import { grown, sameLife } from './spans.ts';
import type { Severity, ShownState } from './states.ts';

export type EventKind =
  | 'added'
  | 'deleted'
  | 'server gone'
  | 'not serving'
  | 'serving again'
  | 'stopped'
  | 'recovered'
  | 'registered'
  | 'unregistered'
  | 'errors'
  | 'target stuck'
  | 'target answers'
  | ConnectionChange['kind'];

export interface MonitorEvent {
  readonly wallMs: number;
  readonly device: number;
  readonly kind: EventKind;
  readonly text: string;
  readonly severity: Severity;
  /** How many requests failed; 0 for the other kinds of events. */
  readonly count: number;
}

/** A device as it was read, and the state that it was found to be in. */
export interface ObservedDevice {
  readonly sample: DeviceSample;
  readonly state: ShownState;
}

const REMEMBERED = 500;

/** Adds new events to the known ones. Requests of a device that keep failing are one event with a growing count. */
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

/** `before` is null at the first look: then only what is wrong now is an event. */
export function eventsBetween(
  before: readonly ObservedDevice[] | null,
  now: readonly ObservedDevice[],
  wallMs: number,
): MonitorEvent[] {
  const events: MonitorEvent[] = [];
  const tell = (device: number, kind: EventKind, severity: Severity, text: string, count = 0) =>
    events.push({ wallMs, device, kind, severity, text, count });

  for (const device of now) {
    const earlier = before?.find(({ sample }) => sample.id === device.sample.id);
    if (earlier === undefined) tellOfNew(device, before !== null, tell);
    else tellOfChange(earlier, device, tell);
    tellOfStuck(earlier?.sample ?? null, device.sample, wallMs, tell);
    for (const { kind, severity, text } of connectionChanges(earlier?.sample.stats ?? null, device.sample.stats)) {
      tell(device.sample.id, kind, severity, text);
    }
  }
  for (const { sample } of before ?? []) {
    if (now.some((device) => device.sample.id === sample.id)) continue;
    tell(sample.id, 'deleted', 'neutral', `deleted${named(sample.own?.target)}`);
  }
  return events;
}

type Tell = (device: number, kind: EventKind, severity: Severity, text: string, count?: number) => void;

function tellOfNew({ sample, state: { trouble, word, severity } }: ObservedDevice, isNew: boolean, tell: Tell): void {
  const { id, own, serverPid } = sample;
  if (isNew) tell(id, 'added', 'good', `added${named(own?.target)}${withPid(serverPid)}`);
  else if (trouble !== null && word !== 'LIVE')
    tell(id, isHeldUp(word) ? 'not serving' : 'server gone', severity, trouble);
}

function tellOfChange(before: ObservedDevice, now: ObservedDevice, tell: Tell): void {
  tellOfServer(before, now, tell);
  tellOfBuffers(before.sample, now.sample, tell);
  const [earlier, later] = [before.sample.stats, now.sample.stats];
  const failed = grown(sameLife(earlier, later) ? errorsOf(earlier) : 0, errorsOf(later));
  if (failed > 0) tell(now.sample.id, 'errors', 'bad', failedText(failed), failed);
}

function tellOfServer(before: ObservedDevice, now: ObservedDevice, tell: Tell): void {
  const { id, own, serverPid } = now.sample;
  const [was, is] = [before.state.word, now.state.word];
  const trouble = now.state.trouble ?? is;
  const replaced = is === 'LIVE' && isAnother(before.sample.serverPid, serverPid);
  if (replaced || (was !== 'LIVE' && is === 'LIVE')) {
    if (was === 'DEAD') tell(id, 'added', 'good', `live${named(own?.target)}${withPid(serverPid)}`);
    else if (isHeldUp(was) && !replaced) tell(id, 'serving again', 'good', 'its server serves again');
    else
      tell(
        id,
        'recovered',
        'good',
        `recovered${withPid(serverPid)}${replaced ? ` in place of ${before.sample.serverPid}` : ''}`,
      );
  } else if (was !== is && isHeldUp(is)) {
    tell(id, 'not serving', now.state.severity, `${is}: ${trouble}`);
  } else if ((was === 'LIVE' || isHeldUp(was)) && was !== is) {
    const asked = own?.ended?.reason === 'stopped';
    if (asked) tell(id, 'stopped', 'neutral', is === 'DEAD' ? 'stopped' : `${is}: ${trouble}`);
    else tell(id, 'server gone', 'bad', `${is}: ${trouble}`);
  }
}

/** Whether both are known, and are two processes. */
function isAnother(before: number, now: number): boolean {
  return before > 0 && now > 0 && before !== now;
}

function withPid(serverPid: number): string {
  return serverPid > 0 ? `, server pid ${serverPid}` : '';
}

/** Some requests wait in the target for too long, whether or not the others are answered. */
function tellOfStuck(before: DeviceSample | null, { id, stats }: DeviceSample, wallMs: number, tell: Tell): void {
  // A new server begins with nothing.
  const was = sameLife(before?.stats ?? null, stats) ? (before?.stats?.stuck ?? null) : null;
  const is = stats?.stuck ?? null;
  if (is !== null && was === null) tell(id, 'target stuck', 'warning', describeStuck(is, wallMs));
  else if (is === null && was !== null) tell(id, 'target answers', 'good', 'its target has answered every old request');
}

/** The device has its server, or is about to go with it, and answers nothing. */
function isHeldUp(word: ShownState['word']): boolean {
  return word === 'PAUSED' || word === 'STUCK' || word === 'DELETING';
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
