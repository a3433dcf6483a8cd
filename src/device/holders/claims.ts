/**
 * Finds the uses that would lose data if a block device went away: mounted file systems, swap, and block devices made
 * of it. They are read from /proc and /sys, which answer whatever the device does.
 */
import { readlinkSync, statSync } from 'node:fs';
import { deviceNumber, type DiskNumbers, namesIn, partitionNames, readText } from '../../control/sysfs.ts';
import type { Holder } from './holder.ts';

/** `numbers` are those of the device with this id. */
export function findClaims(id: number, numbers: DiskNumbers): Holder[] {
  return [...findMounts(numbers), ...findSwaps(numbers), ...findStacked(id, numbers)];
}

export interface MountLine {
  /** `major:minor` of the file system. */
  readonly device: string;
  readonly path: string;
  readonly fileSystem: string;
  readonly source: string;
}

/** Lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseMountInfo(text: string): MountLine[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, , path] = before.split(' ');
    const [fileSystem, source] = after.split(' ');
    if (device === undefined || path === undefined || fileSystem === undefined || source === undefined) return [];
    return [{ device, path: unescapeOctal(path), fileSystem, source: unescapeOctal(source) }];
  });
}

/** Paths of the swap areas in /proc/swaps. */
export function parseSwaps(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => (line === '' ? [] : [unescapeOctal(line.split(/\s/)[0] ?? '')]));
}

function findMounts({ devices }: DiskNumbers): Holder[] {
  const found = new Map<string, Holder>();
  for (const pid of onePerMountNamespace()) {
    for (const { device, path, fileSystem, source } of parseMountInfo(readText(`/proc/${pid}/mountinfo`) ?? '')) {
      // btrfs has a device number of its own and names the block device as its source.
      if (!devices.includes(device) && !(device.startsWith('0:') && isOneOf(source, devices))) continue;
      if (!found.has(path)) found.set(path, { kind: 'mount', path, fileSystem, pid });
    }
  }
  return [...found.values()];
}

/** A process of each mount namespace that can be seen from here. */
function onePerMountNamespace(): number[] {
  const pids = new Map<string, number>();
  for (const name of ['self', ...namesIn('/proc').filter((entry) => /^\d+$/.test(entry))]) {
    try {
      const namespace = readlinkSync(`/proc/${name}/ns/mnt`);
      if (!pids.has(namespace)) pids.set(namespace, name === 'self' ? process.pid : Number(name));
    } catch {
      // It has ended, or it is not for this user.
    }
  }
  return [...pids.values()];
}

function findSwaps({ devices }: DiskNumbers): Holder[] {
  return parseSwaps(readText('/proc/swaps') ?? '')
    .filter((path) => isOneOf(path, devices))
    .map((path) => ({ kind: 'swap', path }));
}

function findStacked(id: number, { devices }: DiskNumbers): Holder[] {
  const disk = `/sys/block/ublkb${id}`;
  const above = ['', ...partitionNames(id)].flatMap((part) => namesIn(`${disk}/${part}/holders`));
  const loops = namesIn('/sys/block').filter((name) => {
    const file = name.startsWith('loop') ? readText(`/sys/block/${name}/loop/backing_file`) : null;
    return file !== null && isOneOf(file, devices);
  });
  return [...new Set([...above, ...loops])].map((name) => ({
    kind: 'device',
    name,
    label: readText(`/sys/block/${name}/dm/name`),
  }));
}

/** Whether `path` is the node of one of these block devices. */
function isOneOf(path: string, devices: readonly string[]): boolean {
  if (!path.startsWith('/dev/')) return false;
  try {
    const stats = statSync(path);
    return stats.isBlockDevice() && devices.includes(deviceNumber(stats.rdev));
  } catch {
    return false;
  }
}

/** `\040` and the like stand for blanks, tabs, newlines and backslashes. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
