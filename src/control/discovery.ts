/** Finds the ublk devices in sysfs, whatever their ids are and whichever program serves them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';

const CLASS = '/sys/class/ublk-char';

/** Whether the driver has the device, as sysfs tells. */
export function isThere(id: number): boolean {
  return existsSync(`${CLASS}/ublkc${id}`);
}

/**
 * Tells a device from those that have its id before and after it: the number of its directory in sysfs, which the kernel
 * gives to each directory that it makes. null when there is no such device.
 */
export function instanceOf(id: number): string | null {
  const stat = statSync(`${CLASS}/ublkc${id}`, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : String(stat.ino);
}

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
