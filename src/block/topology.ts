/**
 * Says how block devices lie on each other and on files, as sysfs shows it. Nothing here opens a device, so nothing here
 * waits for one.
 */
import { statSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';
import { blockDeviceName, blockDeviceNumber, type DeviceNumber, deviceNumber } from './number.ts';

/** The whole disk that `number` is a partition of; null when it is not a partition. */
export function diskOf(number: DeviceNumber): DeviceNumber | null {
  const folder = `/sys/dev/block/${number}`;
  if (readText(`${folder}/partition`) === null) return null;
  return readText(`${folder}/../dev`);
}

/** One partition; start and size are in sectors of 512 bytes. */
export interface Partition {
  readonly name: string;
  readonly number: DeviceNumber;
  readonly startSector: number;
  readonly sectors: number;
}

export function partitionsOf(number: DeviceNumber): Partition[] {
  const folder = `/sys/dev/block/${number}`;
  return namesIn(folder).flatMap((name) => {
    if (readText(`${folder}/${name}/partition`) === null) return [];
    const partition = readText(`${folder}/${name}/dev`);
    if (partition === null) return [];
    const startSector = Number(readText(`${folder}/${name}/start`));
    const sectors = Number(readText(`${folder}/${name}/size`));
    return [{ name, number: partition, startSector, sectors }];
  });
}

/**
 * The devices right below: those that dm or md is made of, a partition's disk, what a kernel loop device is on. `under`
 * finds the device of a loop device's file.
 */
export function devicesBelow(number: DeviceNumber, under: (path: string) => DeviceNumber | null): DeviceNumber[] {
  const folder = `/sys/dev/block/${number}`;
  const slaves = namesIn(`${folder}/slaves`).flatMap((name) => blockDeviceNumber(name) ?? []);
  const disk = diskOf(number);
  const file = readText(`${folder}/loop/backing_file`);
  const backing = file === null ? null : under(file);
  return [...slaves, ...(disk === null ? [] : [disk]), ...(backing === null ? [] : [backing])];
}

/** The block device that `path` is or that its file system is on; null when it is neither, or cannot be known. */
export function deviceUnder(path: string): DeviceNumber | null {
  try {
    const stat = statSync(path, { bigint: true });
    const number = deviceNumber(stat.isBlockDevice() ? stat.rdev : stat.dev);
    return blockDeviceName(number) === null ? null : number;
  } catch {
    return null;
  }
}

/** A loop device of the kernel. */
export interface KernelLoop {
  readonly name: string;
  /** Its backing file, with ` (deleted)` at the end when that has been removed. */
  readonly file: string;
}

export function kernelLoops(): KernelLoop[] {
  return namesIn('/sys/block').flatMap((name) => {
    const file = name.startsWith('loop') ? readText(`/sys/block/${name}/loop/backing_file`) : null;
    return file === null ? [] : [{ name, file }];
  });
}
