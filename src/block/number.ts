/** The numbers and names of block devices. Nothing here opens a device, so nothing here waits for one. */
import { readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { readText } from '../native/kernel-files.ts';

/** `MAJOR:MINOR` in decimal, as sysfs and /proc/PID/mountinfo write it. */
export type DeviceNumber = string;

/** Splits `st_dev` or `st_rdev` as glibc's gnu_dev_major and gnu_dev_minor do. */
export function deviceNumber(value: bigint | number): DeviceNumber {
  const device = BigInt(value);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** The kernel's name (`sda1`, `dm-0`, `ublkb0`); null when there is no such block device. */
export function blockDeviceName(number: DeviceNumber): string | null {
  try {
    return basename(readlinkSync(`/sys/dev/block/${number}`));
  } catch {
    return null;
  }
}

/** The number of the block device or partition that the kernel calls `name`; null when there is none. */
export function blockDeviceNumber(name: string): DeviceNumber | null {
  return readText(`/sys/class/block/${name}/dev`);
}

/** The number of the block device whose node `path` is. Only nodes in /dev are looked at: a file system may hang. */
export function numberOfNode(path: string): DeviceNumber | null {
  if (!path.startsWith('/dev/')) return null;
  try {
    const stat = statSync(path);
    return stat.isBlockDevice() ? deviceNumber(stat.rdev) : null;
  } catch {
    return null;
  }
}
