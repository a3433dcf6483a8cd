/**
 * What keys do: one table, from which the footer and the help are made too, so that every key that is offered works and
 * no key that works is hidden. Pure: a key and what is on the screen give the next screen and, perhaps, a command.
 */
import { DEVICE_COLUMNS } from './device-columns.ts';
import type { DeviceView, Picture } from './model.ts';
import {
  type Command,
  INTERVALS_MS,
  type Question,
  type Screen,
  selectedBuffer,
  selectedDevice,
  shownBuffers,
  shownDevices,
  shownEvents,
  type ShownBuffer,
  VIEWS,
  type ViewName,
} from './screen.ts';
import { canBeRecovered } from './states.ts';
import { formatSize } from '../sizes.ts';
import { interval } from './format.ts';

/** A printable character, or one of these. */
export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'enter'
  | 'esc'
  | 'tab'
  | 'shift-tab'
  | 'backspace'
  | (string & {});

export interface Situation {
  readonly screen: Screen;
  /** The one on the screen: the frozen one when it is frozen. */
  readonly picture: Picture;
  readonly readOnly: boolean;
  /** Asked before leaving, when leaving ends more than the monitor. */
  readonly farewell: Question | null;
}

export interface Outcome {
  readonly screen: Screen;
  readonly command?: Command;
  readonly quit?: true;
}

export interface Binding {
  readonly keys: readonly KeyName[];
  /** As written in the footer and the help. */
  readonly label: string;
  /** A word or two for the footer; none: only in the help. */
  readonly hint?: string;
  readonly help: string;
  /** Not with --read-only. */
  readonly changes?: true;
  readonly views?: readonly ViewName[];
  /** Why not now; null: it can be done. */
  readonly refusal?: (situation: Situation) => string | null;
  readonly press: (situation: Situation, key: KeyName) => Outcome;
}

const PAGE = 10;

export const BINDINGS: readonly Binding[] = [
  {
    keys: ['up', 'down', 'j', 'k', 'pageup', 'pagedown', 'home', 'end', 'g', 'G'],
    label: 'j k',
    help: 'move (or arrows, PgUp, Home ...)',
    press: move,
  },
  {
    keys: ['left', 'right', 'h', 'l'],
    label: 'h l',
    hint: 'device',
    help: 'other device (or arrows)',
    views: ['device'],
    refusal: ({ screen, picture }) => (shownDevices(picture, screen).length < 2 ? 'there is no other device' : null),
    press: ({ screen, picture }, key) => done(screen, { device: neighbour(screen, picture, back(key) ? -1 : 1) }),
  },
  {
    keys: ['enter'],
    label: 'Enter',
    hint: 'open',
    help: 'open the device',
    views: ['devices', 'buffers', 'events'],
    refusal: (situation) => (pointedDevice(situation) === undefined ? 'there is no device to open' : null),
    press: (situation) => done(situation.screen, { view: 'device', device: pointedDevice(situation)?.id ?? null }),
  },
  {
    keys: ['esc'],
    label: 'Esc',
    hint: 'back',
    help: 'clear the filter; back',
    refusal: ({ screen }) =>
      screen.view === 'devices' && screen.filter === '' ? 'there is nothing to go back to' : null,
    press: ({ screen }) =>
      screen.filter === '' ? done(screen, { view: 'devices', row: 0 }) : done(screen, { filter: '' }),
  },
  {
    keys: ['tab', 'shift-tab'],
    label: 'Tab',
    help: 'next view (Shift-Tab: previous)',
    press: (situation, key) => {
      const at = VIEWS.indexOf(situation.screen.view) + (key === 'tab' ? 1 : VIEWS.length - 1);
      return show(situation, VIEWS[at % VIEWS.length] ?? 'devices');
    },
  },
  {
    keys: ['1', '2', '3', '4'],
    label: '1-4',
    help: 'the four views',
    press: (situation, key) => show(situation, VIEWS[Number(key) - 1] ?? 'devices'),
  },
  {
    keys: ['/'],
    label: '/',
    hint: 'filter',
    help: 'show only what contains ...',
    views: ['devices', 'buffers', 'events'],
    press: ({ screen }) => done(screen, { typing: { what: 'filter', text: screen.filter } }),
  },
  {
    keys: ['s'],
    label: 's',
    hint: 'sort',
    help: 'sort by the next column',
    views: ['devices'],
    refusal: whyNoSorting,
    press: ({ screen }) => {
      const at = DEVICE_COLUMNS.findIndex(({ key }) => key === screen.sort);
      const next = DEVICE_COLUMNS[(at + 1) % DEVICE_COLUMNS.length];
      if (next === undefined) return { screen };
      // A narrow terminal may not show the column.
      const message = { text: `sorted by ${next.heading[screen.period]}`, tone: 'neutral' } as const;
      return done(screen, { sort: next.key, reversed: false, message });
    },
  },
  {
    keys: ['r'],
    label: 'r',
    help: 'sort the other way round',
    views: ['devices'],
    refusal: whyNoSorting,
    press: ({ screen }) => done(screen, { reversed: !screen.reversed }),
  },
  {
    keys: ['t'],
    label: 't',
    hint: 'total',
    help: 'totals, or rates of the interval',
    press: ({ screen }) => done(screen, { period: screen.period === 'total' ? 'interval' : 'total' }),
  },
  {
    keys: ['f'],
    label: 'f',
    hint: 'freeze',
    help: 'freeze, or go on',
    press: ({ screen, picture }) => done(screen, { frozen: screen.frozen === null ? picture : null }),
  },
  {
    keys: ['b'],
    label: 'b',
    hint: 'buffer',
    help: 'register a shared buffer',
    changes: true,
    refusal: (situation) => whyNoBuffer(pointedDevice(situation)),
    press: (situation) => {
      const device = pointedDevice(situation)?.id ?? 0;
      return done(situation.screen, { typing: { what: 'register', text: '', device, readOnly: false } });
    },
  },
  {
    keys: ['u'],
    label: 'u',
    hint: 'unregister',
    help: 'unregister the buffer',
    changes: true,
    views: ['buffers'],
    refusal: ({ screen, picture }) =>
      selectedBuffer(picture, screen) === undefined ? 'there is no buffer to unregister' : null,
    press: (situation) => {
      const chosen = selectedBuffer(situation.picture, situation.screen);
      return chosen === undefined
        ? { screen: situation.screen }
        : done(situation.screen, { question: aboutUnregistering(chosen) });
    },
  },
  {
    keys: ['R'],
    label: 'R',
    hint: 'recover',
    help: 'recover: start a new server',
    changes: true,
    refusal: (situation) => whyNoRecovery(pointedDevice(situation)),
    press: (situation) => {
      const device = pointedDevice(situation)?.id ?? 0;
      return { ...done(situation.screen, {}), command: { kind: 'recover', device } };
    },
  },
  {
    keys: ['d'],
    label: 'd',
    hint: 'delete',
    help: 'delete the device',
    changes: true,
    views: ['devices', 'device'],
    refusal: (situation) => (pointedDevice(situation) === undefined ? 'there is no device to delete' : null),
    press: (situation) => {
      const device = pointedDevice(situation);
      return device === undefined
        ? { screen: situation.screen }
        : done(situation.screen, { question: aboutDeleting(device) });
    },
  },
  {
    keys: ['+', '=', '-'],
    label: '+ -',
    hint: 'interval',
    help: 'a longer or shorter interval',
    press: ({ screen }, key) => {
      const intervalMs = nextInterval(screen.intervalMs, key === '-' ? -1 : 1);
      return done(screen, { intervalMs, message: { text: `every ${interval(intervalMs)}`, tone: 'neutral' } });
    },
  },
  {
    keys: ['?'],
    label: '?',
    hint: 'help',
    help: 'this page; any key leaves it',
    press: ({ screen }) => done(screen, { help: true }),
  },
  {
    keys: ['q'],
    label: 'q',
    hint: 'quit',
    help: 'quit (or Ctrl-C)',
    press: ({ screen, farewell }) =>
      farewell === null ? { screen, quit: true } : done(screen, { question: farewell }),
  },
];

/** A key and what it does, in a word or two. */
export interface Hint {
  readonly label: string;
  readonly hint: string;
  /** Said even where there is room for few. */
  readonly always: boolean;
}

/** For the footer: only what works now. */
export function hintsOf(situation: Situation): Hint[] {
  const { question, typing, help } = situation.screen;
  if (question !== null) return only(['y', question.yes], ['n', 'keep it']);
  if (typing?.what === 'filter') return only(['Enter', 'keep the filter'], ['Esc', 'clear it']);
  if (typing !== null) return only(['Enter', 'register'], ['Tab', 'mode'], ['Esc', 'leave it']);
  if (help) return only(['any key', 'back']);
  return offered(situation).flatMap(({ label, hint }) =>
    hint === undefined ? [] : [{ label, hint, always: label === '?' || label === 'q' }],
  );
}

function only(...pairs: readonly (readonly [label: string, hint: string])[]): Hint[] {
  return pairs.map(([label, hint]) => ({ label, hint, always: false }));
}

/** What can be done here and now. */
function offered(situation: Situation): Binding[] {
  return BINDINGS.filter(
    (binding) =>
      isFor(binding, situation) &&
      !(binding.changes === true && situation.readOnly) &&
      (binding.refusal?.(situation) ?? null) === null,
  );
}

export function press(situation: Situation, key: KeyName): Outcome {
  const { screen } = situation;
  if (screen.question !== null) return answer(screen, screen.question, key);
  if (screen.typing !== null) return type(screen, key);
  if (screen.help) return done(screen, { help: false });
  const binding = BINDINGS.find(({ keys }) => keys.includes(key));
  if (binding === undefined || !isFor(binding, situation)) return { screen };
  const refusal =
    binding.changes === true && situation.readOnly
      ? 'the monitor was started with --read-only'
      : (binding.refusal?.(situation) ?? null);
  if (refusal !== null) return done(screen, { message: { text: `${binding.label}: ${refusal}`, tone: 'warning' } });
  return binding.press(situation, key);
}

function isFor({ views }: Binding, { screen }: Situation): boolean {
  return views === undefined || views.includes(screen.view);
}

/** A key that was understood takes the last message away. */
function done(screen: Screen, change: Partial<Screen>): Outcome {
  return { screen: { ...screen, message: null, ...change } };
}

function answer(screen: Screen, { does }: Question, key: KeyName): Outcome {
  if (key === 'y' || key === 'Y') {
    const next = { ...screen, question: null };
    return does === 'quit' ? { screen: next, quit: true } : { screen: next, command: does };
  }
  return key === 'n' || key === 'N' || key === 'esc' || key === 'q' ? done(screen, { question: null }) : { screen };
}

function type(screen: Screen, key: KeyName): Outcome {
  const { typing } = screen;
  if (typing === null) return { screen };
  if (key === 'esc') return done(screen, typing.what === 'filter' ? { typing: null, filter: '' } : { typing: null });
  if (key === 'enter') {
    if (typing.what === 'filter') return done(screen, { typing: null });
    const { device, text: path, readOnly } = typing;
    if (path === '') return done(screen, { typing: null });
    return { ...done(screen, { typing: null }), command: { kind: 'register', device, path, readOnly } };
  }
  if (key === 'tab' && typing.what === 'register') {
    return done(screen, { typing: { ...typing, readOnly: !typing.readOnly } });
  }
  const text = key === 'backspace' ? typing.text.slice(0, -1) : key.length === 1 ? typing.text + key : typing.text;
  // A filter works while it is typed.
  return done(screen, { typing: { ...typing, text }, ...(typing.what === 'filter' ? { filter: text, row: 0 } : {}) });
}

function move({ screen, picture }: Situation, key: KeyName): Outcome {
  const step = STEPS[key] ?? 0;
  if (screen.view === 'devices') {
    const shown = shownDevices(picture, screen);
    const at = shown.findIndex(({ id }) => id === selectedDevice(picture, screen)?.id);
    return done(screen, { device: shown[bounded(at + step, shown.length)]?.id ?? null });
  }
  return done(screen, { row: bounded(screen.row + step, rowsOf(screen, picture)) });
}

const STEPS: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -PAGE,
  pagedown: PAGE,
  home: Number.NEGATIVE_INFINITY,
  g: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
  G: Number.POSITIVE_INFINITY,
};

function rowsOf(screen: Screen, picture: Picture): number {
  if (screen.view === 'buffers') return shownBuffers(picture, screen).length;
  if (screen.view === 'events') return shownEvents(picture, screen).length;
  return selectedDevice(picture, screen)?.queues.length ?? 0;
}

function bounded(row: number, rows: number): number {
  return Math.max(0, Math.min(rows - 1, row));
}

function back(key: KeyName): boolean {
  return key === 'left' || key === 'h';
}

function neighbour(screen: Screen, picture: Picture, step: number): number | null {
  const shown = shownDevices(picture, screen);
  const at = shown.findIndex(({ id }) => id === screen.device);
  return shown[(at + step + shown.length) % Math.max(1, shown.length)]?.id ?? screen.device;
}

/** The device view needs a device: the one pointed at, and from then on that one. */
function show(situation: Situation, view: ViewName): Outcome {
  const device = pointedDevice(situation)?.id ?? situation.screen.device;
  return done(situation.screen, { view, row: 0, ...(view === 'device' ? { device } : {}) });
}

function pointedDevice({ screen, picture }: Situation): DeviceView | undefined {
  if (screen.view === 'buffers') return selectedBuffer(picture, screen)?.device ?? selectedDevice(picture, screen);
  if (screen.view === 'events') {
    const event = shownEvents(picture, screen)[screen.row];
    return picture.devices.find(({ id }) => id === event?.device);
  }
  return selectedDevice(picture, screen);
}

function whyNoSorting({ screen, picture }: Situation): string | null {
  return shownDevices(picture, screen).length < 2 ? 'there is nothing to sort' : null;
}

function nextInterval(now: number, step: number): number {
  const at = INTERVALS_MS.findIndex((candidate) => candidate >= now);
  return INTERVALS_MS[bounded((at === -1 ? INTERVALS_MS.length : at) + step, INTERVALS_MS.length)] ?? now;
}

function whyNoBuffer(device: DeviceView | undefined): string | null {
  if (device === undefined) return 'there is no device to register a buffer with';
  if (device.buffers === null) return `another program serves ${device.name}`;
  if (!device.features.includes('SHMEM_ZC')) return `${device.name} was added without --shmem_zc`;
  return device.state.word === 'LIVE' ? null : `${device.name} is ${device.state.word}`;
}

function whyNoRecovery(device: DeviceView | undefined): string | null {
  if (device === undefined) return 'there is no device to recover';
  if (canBeRecovered(device.state)) return device.buffers === null ? `another program served ${device.name}` : null;
  if (device.state.word === 'LIVE') return `${device.name} has its server`;
  return `${device.name} is ${device.state.word}: only a device added with -r 1 can be recovered`;
}

function aboutDeleting({ id, name, target, files, sizeBytes, serverPid, serverRuns, inFlight }: DeviceView): Question {
  const what = [target ?? "another program's", ...files].join(' ');
  const lines = [`/dev/${name}: ${what}, ${formatSize(sizeBytes)}`];
  if (serverRuns) lines.push(`Its server (pid ${serverPid}) stops.`);
  if (inFlight > 0) lines.push(`${inFlight} requests are on their way: someone is using it.`);
  return { title: `Delete ${name}?`, lines, yes: 'delete it', does: { kind: 'delete', device: id } };
}

function aboutUnregistering({ device, buffer }: ShownBuffer): Question {
  const { index, source, length, tallies } = buffer;
  const lines = [`${source}, ${formatSize(length)}, of ${device.name} (${device.target ?? '?'})`];
  lines.push(
    tallies.interval.requests > 0
      ? 'It is in use: requests that match it now will be copied.'
      : 'Requests from its memory will be copied.',
  );
  const does = { kind: 'unregister', device: device.id, index } as const;
  return { title: `Unregister buffer ${index}?`, lines, yes: 'unregister it', does };
}
