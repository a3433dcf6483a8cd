/**
 * Looks at files of others, to compare them with a file that is to be served. Such a file may be on a file system that hangs,
 * so the wait for it is short. The recorded identities of files and the paths of mounts make most of these calls needless.
 */
import { type BigIntStats, stat, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { deviceOfMountOf } from '../block/mounts.ts';
import { blockDeviceName, type DeviceNumber, deviceNumber, numberOfNode } from '../block/number.ts';
import { sequenceOf } from '../block/topology.ts';
import { withinMs } from '../control/waiting.ts';
import type { FileIdentity } from '../record/device-record.ts';

const LOOK_MS = 2000;

const statInPool = promisify(stat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>;

/** The calls that have not returned, by path. Whoever looks at the same file waits for the same call, so a file takes one thread. */
const looks = new Map<string, Promise<BigIntStats | null>>();

/** A file that has answered. */
export interface FoundFile {
  readonly path: string;
  readonly stat: BigIntStats;
}

/**
 * Returns the status of a file (stat(2)), null when the call fails, or `late` when it has not returned after two seconds. With
 * `inPool` a thread of libuv's pool makes the call, otherwise this thread, which then waits for as long as it takes.
 */
export async function lookAt(path: string, inPool = true): Promise<BigIntStats | null | 'late'> {
  if (!inPool) return lookHere(path);
  let look = looks.get(path);
  if (look === undefined) {
    look = statInPool(path, { bigint: true })
      .catch(() => null)
      .finally(() => looks.delete(path));
    looks.set(path, look);
  }
  return withinMs(look, LOOK_MS, 'late');
}

function lookHere(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}

/**
 * The block device that a file is or that its file system is on; null when it is neither. btrfs gives its files numbers of
 * its own; its mount names the device.
 */
export function deviceOf({ path, stat }: FoundFile): DeviceNumber | null {
  return recordedDeviceOf(path, identityOf(stat));
}

/** The same as the name alone tells it: of a node in /dev, or of the mount. Nobody looks at the file. */
export function deviceNamed(path: string): DeviceNumber | null {
  return numberOfNode(path) ?? deviceOfMountOf(path);
}

/** Does what `deviceOf` does for the file `path` with the identity that was recorded of it. */
export function recordedDeviceOf(path: string, { device, blockDevice }: FileIdentity): DeviceNumber | null {
  const number = blockDevice ?? device;
  return blockDeviceName(number) === null ? deviceOfMountOf(path) : number;
}

export function identityOf(stat: BigIntStats): FileIdentity {
  const blockDevice = stat.isBlockDevice() ? deviceNumber(stat.rdev) : null;
  const sequence = blockDevice === null ? undefined : sequenceOf(blockDevice);
  const identity = { device: deviceNumber(stat.dev), inode: String(stat.ino), blockDevice };
  return sequence === undefined ? identity : { ...identity, sequence };
}

/** Whether both are the same file, or nodes of the same device. */
export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  if (a.blockDevice !== null || b.blockDevice !== null) return a.blockDevice === b.blockDevice;
  return a.device === b.device && a.inode === b.inode;
}
