/** The keys that select something else: a row, another device, another view. */
import type { DeviceView, Picture } from '../../watch/model/picture.ts';
import {
  type Screen,
  selectedBuffer,
  selectedDevice,
  shownBuffers,
  shownDevices,
  shownEvents,
  VIEWS,
  type ViewName,
} from '../screen.ts';
import { done, type KeyName, type Outcome, type Situation } from './situation.ts';

const PAGE = 10;

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

/** The device that a key acts on: in every view, the device of the selected row. */
export function pointedDevice({ screen, picture }: Situation): DeviceView | undefined {
  if (screen.view === 'buffers') return selectedBuffer(picture, screen)?.device ?? selectedDevice(picture, screen);
  if (screen.view === 'events') {
    const event = shownEvents(picture, screen)[screen.row];
    return picture.devices.find(({ id }) => id === event?.device);
  }
  return selectedDevice(picture, screen);
}

/** Moves up and down, as far as there are rows. */
export function move({ screen, picture }: Situation, key: KeyName): Outcome {
  const step = STEPS[key] ?? 0;
  if (screen.view === 'devices') {
    const shown = shownDevices(picture, screen);
    const at = shown.findIndex(({ id }) => id === selectedDevice(picture, screen)?.id);
    return done(screen, { device: shown[bounded(at + step, shown.length)]?.id ?? null });
  }
  return done(screen, { row: bounded(screen.row + step, rowsOf(screen, picture)) });
}

function rowsOf(screen: Screen, picture: Picture): number {
  if (screen.view === 'buffers') return shownBuffers(picture, screen).length;
  if (screen.view === 'events') return shownEvents(picture, screen).length;
  return selectedDevice(picture, screen)?.queues.length ?? 0;
}

/** The row itself or, outside 0..rows-1, the nearest one. */
export function bounded(row: number, rows: number): number {
  return Math.max(0, Math.min(rows - 1, row));
}

/** Selects the device before or after this one; the first comes after the last. */
export function moveToNeighbour({ screen, picture }: Situation, key: KeyName): Outcome {
  const step = key === 'left' || key === 'h' ? -1 : 1;
  const shown = shownDevices(picture, screen);
  const at = shown.findIndex(({ id }) => id === screen.device);
  return done(screen, { device: shown[(at + step + shown.length) % Math.max(1, shown.length)]?.id ?? screen.device });
}

/** Tab shows the next view, any other key the previous one. */
export function showNext(situation: Situation, key: KeyName): Outcome {
  const at = VIEWS.indexOf(situation.screen.view) + (key === 'tab' ? 1 : VIEWS.length - 1);
  return show(situation, VIEWS[at % VIEWS.length] ?? 'devices');
}

/** The view of one device keeps showing the device that was selected when it was opened. */
export function show(situation: Situation, view: ViewName): Outcome {
  const device = pointedDevice(situation)?.id ?? situation.screen.device;
  return done(situation.screen, { view, row: 0, ...(view === 'device' ? { device } : {}) });
}
