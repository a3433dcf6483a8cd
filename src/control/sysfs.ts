/** Reads what sysfs shows of a device. sysfs answers whatever the device's server does. */
import { readdirSync, readFileSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';

/** A block device with its partitions, by `major:minor`. */
export interface DiskNumbers {
  readonly devices: readonly string[];
  readonly charDevice: string | null;
}

export interface DiskSize {
  readonly bytes: number;
  readonly logicalBlockBytes: number;
}

export function diskNumbers(id: number): DiskNumbers {
  const paths = ['', ...partitionNames(id)].map((part) => `/sys/block/ublkb${id}/${part}/dev`);
  return {
    devices: paths.map(readText).filter((text) => text !== null),
    charDevice: readText(`/sys/class/ublk-char/ublkc${id}/dev`),
  };
}

/** `major:minor` of an st_rdev. */
export function deviceNumber(rdev: number): string {
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}

/** Names of the directories of the device's partitions. */
export function partitionNames(id: number): string[] {
  const disk = `ublkb${id}`;
  return namesIn(`/sys/block/${disk}`).filter((name) => name.startsWith(`${disk}p`));
}

/** null while there is no /dev/ublkbN. */
export function diskSize(id: number): DiskSize | null {
  const sectors = readText(`/sys/block/ublkb${id}/size`);
  const block = readText(`/sys/block/ublkb${id}/queue/logical_block_size`);
  return sectors === null || block === null ? null : { bytes: Number(sectors) * 512, logicalBlockBytes: Number(block) };
}

/** Sorted; none where there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    throwShortage(error);
    return [];
  }
}

/** Reads a file without its last newline; null where there is no such file. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throwShortage(error);
    return null;
  }
}
