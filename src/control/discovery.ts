/** Devices as sysfs shows them, whatever their id and whoever serves them. */
import { readdirSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';

const CLASS = '/sys/class/ublk-char';

/** Ids in order; none when the driver is not loaded. */
export function findDevices(): number[] {
  let names: string[];
  try {
    names = readdirSync(CLASS);
  } catch (error) {
    throwShortage(error);
    return [];
  }
  return names
    .filter((name) => /^ublkc\d+$/.test(name))
    .map((name) => Number(name.slice('ublkc'.length)))
    .sort((a, b) => a - b);
}
