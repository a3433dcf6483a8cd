/**
 * Says how block devices lie on each other and on files, as sysfs shows it. Nothing here opens a device, so nothing here
 * waits for one.
 */
import { namesIn, readText } from '../native/kernel-files.ts';
import { blockDeviceNumber, type DeviceNumber } from './number.ts';

/** The whole disk that `number` is a partition of; null when it is not a partition. */
export function diskOf(number: DeviceNumber): DeviceNumber | null {
  const folder = `/sys/dev/block/${number}`;
  if (readText(`${folder}/partition`) === null) return null;
  return readText(`${folder}/../dev`);
}

/** The sequence number of the disk that the block device is, or is a partition of; undefined where there is none. */
export function sequenceOf(number: DeviceNumber): string | undefined {
  return readText(`/sys/dev/block/${diskOf(number) ?? number}/diskseq`) ?? undefined;
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

/** The devices right below: those that dm or md is made of, and a partition's disk. */
export function devicesBelow(number: DeviceNumber): DeviceNumber[] {
  const slaves = namesIn(`/sys/dev/block/${number}/slaves`).flatMap((name) => blockDeviceNumber(name) ?? []);
  const disk = diskOf(number);
  return disk === null ? slaves : [...slaves, disk];
}

/** The backing file of a loop device of the kernel; null for any other device. */
export function loopFileOf(number: DeviceNumber): string | null {
  return readText(`/sys/dev/block/${number}/loop/backing_file`);
}

/** A disk of the kernel that lies on a file, such as a loop device. */
export interface KernelLoop {
  readonly name: string;
  /** Its backing file, with ` (deleted)` at the end when that has been removed. */
  readonly file: string;
}

export function kernelLoops(): KernelLoop[] {
  return disksOn('loop', 'loop/backing_file');
}

/** The compressed disks in memory that write what is seldom used to another disk. The file of one without that is `none`. */
export function kernelZrams(): KernelLoop[] {
  return disksOn('zram', 'backing_dev');
}

function disksOn(kind: string, attribute: string): KernelLoop[] {
  return namesIn('/sys/block').flatMap((name) => {
    const file = name.startsWith(kind) ? readText(`/sys/block/${name}/${attribute}`) : null;
    return file === null ? [] : [{ name, file }];
  });
}
