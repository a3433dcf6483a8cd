/**
 * Block devices as sysfs and /proc show them: how one is numbered and named, what it lies on, and who uses it. Nothing
 * here opens a device, so nothing here waits for one.
 */
import { type BigIntStats, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** `MAJOR:MINOR` in decimal, as sysfs and /proc/PID/mountinfo write it. */
export type DeviceNumber = string;

/** Splits `st_dev` or `st_rdev` as glibc's gnu_dev_major and gnu_dev_minor do. */
export function deviceNumber(device: bigint): DeviceNumber {
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

/** The devices right below: those that dm or md is made of, a partition's disk, what a kernel loop device is on. */
export function devicesBelow(number: DeviceNumber): DeviceNumber[] {
  const folder = `/sys/dev/block/${number}`;
  const slaves = namesIn(`${folder}/slaves`).flatMap((name) => blockDeviceNumber(name) ?? []);
  const disk = diskOf(number);
  const file = readText(`${folder}/loop/backing_file`);
  const under = file === null ? null : deviceUnder(file);
  return [...slaves, ...(disk === null ? [] : [disk]), ...(under === null ? [] : [under])];
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

/** A use of the device that would lose data if the device went away. */
export interface BlockDeviceUse {
  readonly kind: 'mount' | 'swap' | 'device';
  /** The device asked about, or the partition of it that is used. */
  readonly device: string;
  /** The end of a sentence that begins with the device: `is mounted on /mnt`. */
  readonly how: string;
}

/** Who uses the device or a partition of it: mounts in any namespace, swap, and devices (dm, md, loop) on top of it. */
export function usesOf(number: DeviceNumber): BlockDeviceUse[] {
  const own = usesOfOne(number);
  return [...own, ...partitionsOf(number).flatMap((partition) => usesOfOne(partition.number))];
}

function usesOfOne(number: DeviceNumber): BlockDeviceUse[] {
  const device = blockDeviceName(number);
  if (device === null) return [];
  const use = (kind: BlockDeviceUse['kind'], how: string): BlockDeviceUse => ({ kind, device, how });
  return [
    ...mountPointsOf(number).map((point) => use('mount', `is mounted on ${point}`)),
    ...(isSwap(number) ? [use('swap', 'is used as swap')] : []),
    ...devicesAbove(number).map((name) => use('device', `is used by ${name}`)),
  ];
}

/** Names of the devices on top, with the name that people know a dm device by. */
function devicesAbove(number: DeviceNumber): string[] {
  const holders = namesIn(`/sys/dev/block/${number}/holders`).map((name) => {
    const known = readText(`/sys/class/block/${name}/dm/name`);
    return known === null ? name : `${name} (${known})`;
  });
  return [...holders, ...kernelLoops((stat) => stat.isBlockDevice() && deviceNumber(stat.rdev) === number)];
}

/** Names of the kernel's loop devices whose backing file is `matches`. */
export function kernelLoops(matches: (stat: BigIntStats) => boolean): string[] {
  return namesIn('/sys/block').filter((name) => {
    const file = name.startsWith('loop') ? readText(`/sys/block/${name}/loop/backing_file`) : null;
    const stat = file === null ? undefined : statOrNothing(file);
    return stat !== undefined && matches(stat);
  });
}

function statOrNothing(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function isSwap(number: DeviceNumber): boolean {
  const [, ...lines] = (readText('/proc/swaps') ?? '').split('\n');
  return lines.some((line) => {
    const stat = statOrNothing(unescaped(line.split(/\s/)[0] ?? ''));
    return stat !== undefined && stat.isBlockDevice() && deviceNumber(stat.rdev) === number;
  });
}

/** Lists each path once: first those of this process's mount namespace, then those of others that can be seen. */
function mountPointsOf(number: DeviceNumber): string[] {
  const points = new Set<string>();
  for (const mounts of mountTables()) {
    for (const line of mounts.split('\n')) {
      const [, , device, , point = ''] = line.split(' ');
      if (device === number || sourceOf(line) === number) points.add(unescaped(point));
    }
  }
  return [...points];
}

/** btrfs and others number a mount as no device: its source is then a device's path. */
function sourceOf(line: string): DeviceNumber | null {
  if (!/ 0:\d+ /.test(line)) return null;
  const [, source = ''] = /^\S+ (\S+)/.exec(line.split(' - ')[1] ?? '') ?? [];
  const stat = source.startsWith('/dev/') ? statOrNothing(unescaped(source)) : undefined;
  return stat?.isBlockDevice() ? deviceNumber(stat.rdev) : null;
}

/** The mountinfo of each mount namespace that some process is in. */
function mountTables(): string[] {
  const seen = new Set<string>();
  return ['self', ...namesIn('/proc').filter((name) => /^\d+$/.test(name))].flatMap((pid) => {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (namespace === null || seen.has(namespace)) return [];
    seen.add(namespace);
    return readText(`/proc/${pid}/mountinfo`) ?? [];
  });
}

/** /proc writes blanks, tabs, newlines and backslashes of a path in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** The file's text without the last newline; null when it cannot be read. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return null;
  }
}
