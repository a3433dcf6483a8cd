/** The screen: what the person has chosen to see of the picture (watch/model/picture.ts). Plain data. */
import { type ColumnKey, sortDevices } from './lines/device-columns.ts';
import type { MonitorEvent } from '../watch/model/events.ts';
import type { BufferView, DeviceView, Period, Picture } from '../watch/model/picture.ts';
import type { Severity } from '../watch/model/states.ts';

export const VIEWS = ['devices', 'device', 'buffers', 'events'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Actions beyond the screen that a key can ask for; actions.ts carries them out. */
export type Action =
  | { readonly kind: 'delete' | 'recover'; readonly device: number }
  | { readonly kind: 'unregister'; readonly device: number; readonly index: number }
  | { readonly kind: 'register'; readonly device: number; readonly path: string; readonly readOnly: boolean };

/** A line that is being typed. */
export type Typing =
  | { readonly what: 'filter'; readonly text: string }
  | { readonly what: 'register'; readonly text: string; readonly device: number; readonly readOnly: boolean };

/** A question that is asked before something is removed. */
export interface Question {
  readonly title: string;
  /** Says what is removed, and what that means for its users. */
  readonly lines: readonly string[];
  /** Says what the key `y` does. */
  readonly yes: string;
  readonly does: Action | 'quit';
}

export interface Message {
  readonly text: string;
  readonly severity: Severity;
}

export interface Screen {
  readonly view: ViewName;
  /** The id of the selected device. */
  readonly device: number | null;
  /** The selected row of the buffers or events, or the first shown queue. */
  readonly row: number;
  readonly filter: string;
  readonly sort: ColumnKey;
  readonly reversed: boolean;
  readonly period: Period;
  /** The picture that stays on the screen; null when the newest is shown. */
  readonly frozen: Picture | null;
  readonly intervalMs: number;
  readonly typing: Typing | null;
  readonly question: Question | null;
  readonly help: boolean;
  readonly message: Message | null;
}

export const INTERVALS_MS: readonly number[] = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

export function firstScreen({ device, intervalMs }: { device?: number | undefined; intervalMs: number }): Screen {
  return {
    view: device === undefined ? 'devices' : 'device',
    device: device ?? null,
    row: 0,
    filter: '',
    sort: 'device',
    reversed: false,
    period: 'interval',
    frozen: null,
    intervalMs,
    typing: null,
    question: null,
    help: false,
    message: null,
  };
}

/** The devices that the filter lets through, in the order of the table. */
export function shownDevices({ devices }: Picture, { filter, sort, reversed, period }: Screen): DeviceView[] {
  const found = devices.filter((device) => matches(filter, device.name, wordsOf(device)));
  return sortDevices(found, sort, reversed, period);
}

/** The device that was chosen or, when it is not shown, the first one. */
export function selectedDevice(picture: Picture, screen: Screen): DeviceView | undefined {
  const shown = shownDevices(picture, screen);
  const { device } = screen;
  const named = picture.devices.find(({ id }) => id === device);
  if (screen.view === 'device' && device !== null) return named;
  return shown.find(({ id }) => id === device) ?? shown[0];
}

export interface ShownBuffer {
  readonly device: DeviceView;
  readonly buffer: BufferView;
}

export function shownBuffers({ devices }: Picture, { filter }: Screen): ShownBuffer[] {
  return devices.flatMap((device) =>
    (device.buffers ?? [])
      .filter(({ source }) => matches(filter, device.name, source))
      .map((buffer) => ({ device, buffer })),
  );
}

export function selectedBuffer(picture: Picture, screen: Screen): ShownBuffer | undefined {
  const shown = shownBuffers(picture, screen);
  return shown[Math.min(screen.row, shown.length - 1)];
}

/** The newest is first. */
export function shownEvents({ events }: Picture, { filter }: Screen): MonitorEvent[] {
  return events.filter(({ device, kind, text }) => matches(filter, `ublkb${device}`, `${kind} ${text}`)).toReversed();
}

function wordsOf({ target, sources, state, dataPath, resident }: DeviceView): string {
  return [target ?? 'other', ...sources, state.word, dataPath ?? '', resident ?? ''].join(' ');
}

function matches(filter: string, ...texts: readonly string[]): boolean {
  const wanted = filter.toLowerCase();
  return texts.some((text) => text.toLowerCase().includes(wanted));
}
