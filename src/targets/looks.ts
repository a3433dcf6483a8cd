/**
 * Looks at files of others, to compare them with a file that is to be served. Such a file may be on a file system that hangs.
 * That is no reason to wait: a file that has answered is another one. What a server has recorded of the files that it
 * opened, and the names of mounts, make most looks needless.
 */
import type { BigIntStats } from 'node:fs';
import { deviceOfMountOf } from '../block/mounts.ts';
import { blockDeviceName, type DeviceNumber, deviceNumber, numberOfNode } from '../block/number.ts';
import type { FileIdentity } from '../record/device-record.ts';
import { FileCalls } from './file-calls.ts';

const LOOK_MS = 2000;

/** A file that has answered. */
export interface FoundFile {
  readonly path: string;
  readonly stat: BigIntStats;
}

/** What stat(2) says of a file; null when it says nothing within two seconds. */
export async function lookAt(path: string): Promise<BigIntStats | null> {
  try {
    return await new FileCalls(path, { inPool: true, timeoutMs: LOOK_MS }).stat();
  } catch {
    return null;
  }
}

/**
 * The block device that a file is or that its file system is on; null when it is neither. btrfs gives its files numbers of
 * its own; its mount names the device.
 */
export function deviceOf({ path, stat }: FoundFile): DeviceNumber | null {
  const number = deviceNumber(stat.isBlockDevice() ? stat.rdev : stat.dev);
  return blockDeviceName(number) === null ? deviceOfMountOf(path) : number;
}

/** The same as the name alone tells it: of a node in /dev, or of the mount. Nobody looks at the file. */
export function deviceNamed(path: string): DeviceNumber | null {
  return numberOfNode(path) ?? deviceOfMountOf(path);
}

/** The same of a file as it was recorded, and is named by `path`. */
export function recordedDeviceOf(path: string, { device, blockDevice }: FileIdentity): DeviceNumber | null {
  const number = blockDevice ?? device;
  return blockDeviceName(number) === null ? deviceOfMountOf(path) : number;
}

export function identityOf(stat: BigIntStats): FileIdentity {
  const blockDevice = stat.isBlockDevice() ? deviceNumber(stat.rdev) : null;
  return { device: deviceNumber(stat.dev), inode: String(stat.ino), blockDevice };
}
