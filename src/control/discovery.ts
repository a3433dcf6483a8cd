/** Finds the ublk devices in sysfs, whatever their ids are and whichever program serves them. */
import { readdirSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';

const CLASS = '/sys/class/ublk-char';

/** The ids of the devices in order. There are none when the driver is not loaded. */
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
