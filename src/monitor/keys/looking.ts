/** The keys for the order of the devices and for the interval between samples. */
import { DEVICE_COLUMNS } from '../lines/device-columns.ts';
import { interval } from '../../text/numbers.ts';
import { INTERVALS_MS, shownDevices } from '../screen.ts';
import { bounded } from './moving.ts';
import { done, type KeyName, type Outcome, type Situation } from './situation.ts';

/** Says why there is nothing to sort; null when there is. */
export function whyNoSorting({ screen, picture }: Situation): string | null {
  return shownDevices(picture, screen).length < 2 ? 'there is nothing to sort' : null;
}

/** The first column comes after the last one. */
export function sortByNextColumn({ screen }: Situation): Outcome {
  const at = DEVICE_COLUMNS.findIndex(({ key }) => key === screen.sort);
  const next = DEVICE_COLUMNS[(at + 1) % DEVICE_COLUMNS.length];
  if (next === undefined) return { screen };
  // A narrow terminal may not show the column.
  const message = { text: `sorted by ${next.heading[screen.period]}`, severity: 'neutral' } as const;
  return done(screen, { sort: next.key, reversed: false, message });
}

/** The key `-` chooses the next shorter interval, any other key the next longer one. */
export function changeInterval({ screen }: Situation, key: KeyName): Outcome {
  const intervalMs = nextInterval(screen.intervalMs, key === '-' ? -1 : 1);
  return done(screen, { intervalMs, message: { text: `every ${interval(intervalMs)}`, severity: 'neutral' } });
}

function nextInterval(now: number, step: number): number {
  const at = INTERVALS_MS.findIndex((candidate) => candidate >= now);
  return INTERVALS_MS[bounded((at === -1 ? INTERVALS_MS.length : at) + step, INTERVALS_MS.length)] ?? now;
}
