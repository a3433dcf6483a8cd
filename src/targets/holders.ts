/**
 * Finds out who uses a file or a block device. The files of others are looked at for a moment only (looks.ts), so that one
 * whose disk hangs does not hide who uses this one.
 */
import type { BigIntStats } from 'node:fs';
import { type Claim, findClaims } from '../block/claims.ts';
import { kernelExports } from '../block/exports.ts';
import { describeClaim } from '../block/holder.ts';
import { mountOf, mountsSeenBy } from '../block/mounts.ts';
import { blockDeviceName, type DeviceNumber, deviceNumber } from '../block/number.ts';
import { commandOf, inodeOf, openBlockDevice, type OpenFile, openFilesOfOthers } from '../block/open-files.ts';
import { devicesBelow, diskOf, kernelLoops, loopFileOf, partitionsOf } from '../block/topology.ts';
import { findDevices } from '../control/discovery.ts';
import { readText } from '../native/kernel-files.ts';
import type { DeviceRecord, FileIdentity } from '../record/device-record.ts';
import { readRecord } from '../record/store.ts';
import { readUnchanged } from '../record/unchanged.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { deviceNamed, type FoundFile, identityOf, isSameIdentity, lookAt, recordedDeviceOf } from './looks.ts';

/** Who uses a file or a block device. */
export interface FileUser {
  /** A sentence about the user. */
  readonly words: string;
  /** The id of the ublk device that serves the file, if that is the user. */
  readonly id?: number;
}

/** The user of the file, or null. `except` is the id of the device that asks. */
export async function holderOf(file: FoundFile, except: number): Promise<FileUser | null> {
  const [device] = await devicesServing(file, except);
  if (device !== undefined) return device;
  const words = (await systemUse(file.stat)) ?? (await lockOwner(file.stat));
  return words === null ? null : { words };
}

/** A sentence about how the kernel itself uses the file or block device (mount, swap, dm, md, loop device), or null. */
export async function systemUse(stat: BigIntStats, inPool = true): Promise<string | null> {
  if (!stat.isBlockDevice()) {
    const [loop] = await whichOf(near(stat, kernelLoops()), ({ file }) => isAt(stat, file, inPool));
    if (loop !== undefined) return `/dev/${loop.name} uses it (\`losetup -d /dev/${loop.name}\` detaches it)`;
    const exported = kernelExports().filter(({ device }) => device === null);
    const [one] = await whichOf(near(stat, exported), ({ file }) => isAt(stat, file, inPool));
    return one === undefined ? null : `${one.name} serves it (\`${one.release}\` ends that)`;
  }
  return diskUse(stat, findClaims);
}

/** A sentence about what `find` finds of a block device, or null. */
export function diskUse(stat: BigIntStats, find: (numbers: readonly DeviceNumber[]) => Claim[]): string | null {
  const number = deviceNumber(stat.rdev);
  const disk = diskOf(number);
  // A partition cannot be claimed while its whole disk is in use. Uses of the disk's other partitions do not matter.
  const related = disk === null ? partitionsOf(number).map((partition) => partition.number) : [disk];
  const [claim] = find([number, ...related]);
  return claim === undefined ? null : describeClaim(claim);
}

/** Those of the users of files whose file is not on the file system of another block device. */
function near<T extends { readonly file: string }>(stat: BigIntStats, users: readonly T[]): readonly T[] {
  const device = deviceNumber(stat.dev);
  if (users.length === 0 || blockDeviceName(device) === null) return users;
  const mounts = mountsSeenBy('self');
  return users.filter(({ file }) => {
    const other = mountOf(file, mounts)?.device ?? '0:';
    return other.startsWith('0:') || other === device;
  });
}

/**
 * A sentence that says that the block device `under` is, or lies on, the disk of the ublk device `device`, or null. A device
 * that waits for itself never answers.
 */
export function liesOnDevice(under: DeviceNumber | null, device: number): string | null {
  const seen = new Set<string>();
  const below = [under];
  for (let number = below.pop(); number !== undefined; number = below.pop()) {
    if (number === null || seen.has(number)) continue;
    seen.add(number);
    const id = ublkDisk(number);
    if (id === device) return `it lies on /dev/ublkb${device}, the device that it is to serve`;
    const loop = loopFileOf(number);
    below.push(...devicesBelow(number), loop === null ? null : deviceNamed(loop));
    if (id !== null) below.push(...devicesOfFiles(readRecord(id)));
  }
  return null;
}

/** The block devices that the files of a device are or that their file systems are on. Nobody looks at the files. */
export function devicesOfFiles(record: DeviceRecord | null): (DeviceNumber | null)[] {
  const { spec, identities = [] } = record ?? { spec: { files: [] } };
  return spec.files.map((path, index) => {
    const identity = identities[index];
    return identity === undefined ? deviceNamed(path) : recordedDeviceOf(path, identity);
  });
}

/** The id of the ublk device whose disk it is, or null. */
export function ublkDisk(number: DeviceNumber): number | null {
  const [, id] = /^ublkb(\d+)$/.exec(blockDeviceName(number) ?? '') ?? [];
  return id === undefined ? null : Number(id);
}

export interface ServingDevice extends FileUser {
  readonly id: number;
  readonly share: boolean;
}

/** The devices, other than `except`, whose records name the file or block device, a partition of it, or its disk. */
export async function devicesServing(file: FoundFile, except: number): Promise<ServingDevice[]> {
  const others = recordedDevices(except).filter(({ spec }) => spec.files.length > 0);
  const mounts = others.length === 0 ? [] : mountsSeenBy('self');
  const mounted = new Set<string>(mounts.map(({ device }) => device));
  const serving = await whichOf(others, async ({ spec, identities = [] }) => {
    const found = await Promise.all(spec.files.map((path, index) => overlaps(file, path, identities[index], mounted)));
    return found.includes(true);
  });
  return serving.map(({ device }) => device);
}

/** An export of a server, and the devices that serve it. */
export interface ServedExport {
  readonly uri: string;
  readonly devices: readonly ServingDevice[];
}

/** A device, and what its record says of it. */
export interface RecordedDevice {
  readonly device: ServingDevice;
  readonly spec: DeviceSpec;
  readonly identities?: readonly FileIdentity[] | undefined;
}

/** All devices that have a record, other than `except`. */
export function recordedDevices(except: number): RecordedDevice[] {
  return findDevices().flatMap((id) => {
    const record = id === except ? null : readUnchanged(id);
    if (record === null) return [];
    const { spec, server, identities } = record;
    const words = `device ${id} (${spec.target}, server pid ${server?.pid ?? 'unknown'}) serves it`;
    return [{ device: { id, share: spec.share, words }, spec, identities }];
  });
}

/**
 * Whether `other`, a name of another device's file, leads to this file, to a partition of it, or to its disk. `recorded`: the
 * identity in the record of that device. `mounted`: the numbers of all mounted file systems.
 */
async function overlaps(
  { path, stat }: FoundFile,
  other: string,
  recorded: FileIdentity | undefined,
  mounted: ReadonlySet<string>,
): Promise<boolean> {
  if (other === path) return true;
  // A file system that is no longer mounted may have another number now. On the same file system as this file, the name may
  // lead to another file by now, and the file system has just answered.
  const isFile = recorded !== undefined && recorded.blockDevice === null;
  if (isFile && recorded.device !== deviceNumber(stat.dev) && mounted.has(recorded.device)) return false;
  const found = await lookAt(other);
  if (found === 'late') return recorded !== undefined && isSameIdentity(identityOf(stat), recorded);
  if (found === null) return false;
  if (!stat.isBlockDevice() || !found.isBlockDevice()) return isSame(stat, found);
  const [a, b] = [deviceNumber(stat.rdev), deviceNumber(found.rdev)];
  return a === b || diskOf(a) === b || diskOf(b) === a;
}

/** Whether both are the same file, or nodes of the same device. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return isSameIdentity(identityOf(a), identityOf(b));
}

/**
 * A sentence about the process that has the file open and locked. /proc/locks names no owner for locks of open files.
 */
async function lockOwner(stat: BigIntStats): Promise<string | null> {
  for (const { pid, fd, link } of openFilesOfOthers()) {
    if (!(await isOpenAs(stat, { pid, fd, link }))) continue;
    // The exclusive open of a block device leaves no mark in fdinfo.
    const locked = isLocked(pid, fd);
    if (locked || stat.isBlockDevice()) return `pid ${pid} (${commandOf(pid)}) has it ${locked ? 'locked' : 'open'}`;
  }
  return null;
}

function isLocked(pid: number, fd: string): boolean {
  return readText(`/proc/${pid}/fdinfo/${fd}`)?.includes('\nlock:') ?? false;
}

/** Whether an open file is this one. Only a node in /dev, or a file with the same inode number, is looked at. */
async function isOpenAs(stat: BigIntStats, { pid, fd, link }: OpenFile): Promise<boolean> {
  if (stat.isBlockDevice()) {
    return openBlockDevice(link, (name) => name.startsWith('/dev/')) === deviceNumber(stat.rdev);
  }
  const inode = inodeOf(pid, fd);
  return (inode === null || inode === stat.ino) && isAt(stat, link);
}

/** Whether the path leads to this file. It counts as the same when the look at it is late. */
async function isAt(stat: BigIntStats, path: string, inPool = true): Promise<boolean> {
  const other = await lookAt(path, inPool);
  return other !== null && (other === 'late' || isSame(stat, other));
}

/** Returns the elements for which the answer is true. */
async function whichOf<T>(all: readonly T[], isTrue: (one: T) => Promise<boolean>): Promise<T[]> {
  const answers = await Promise.all(all.map(isTrue));
  return all.filter((_, index) => answers[index]);
}
