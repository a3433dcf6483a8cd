/** Reads what sysfs shows of a device. sysfs answers whatever the device's server does. */
import { blockDeviceNumber, type DeviceNumber } from '../block/number.ts';
import { partitionsOf } from '../block/topology.ts';
import { readText } from '../native/kernel-files.ts';

/** A device of ours by its numbers. */
export interface DiskNumbers {
  /** The block device and its partitions. */
  readonly devices: readonly DeviceNumber[];
  readonly charDevice: DeviceNumber | null;
}

export interface DiskSize {
  readonly bytes: number;
  readonly logicalBlockBytes: number;
}

export function diskNumbers(id: number): DiskNumbers {
  const disk = blockDeviceNumber(`ublkb${id}`);
  return {
    devices: disk === null ? [] : [disk, ...partitionsOf(disk).map(({ number }) => number)],
    charDevice: readText(`/sys/class/ublk-char/ublkc${id}/dev`),
  };
}

/** null while there is no /dev/ublkbN. */
export function diskSize(id: number): DiskSize | null {
  const sectors = readText(`/sys/block/ublkb${id}/size`);
  const block = readText(`/sys/block/ublkb${id}/queue/logical_block_size`);
  return sectors === null || block === null ? null : { bytes: Number(sectors) * 512, logicalBlockBytes: Number(block) };
}
