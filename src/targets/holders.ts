/**
 * Finds out who uses a file or a block device. The files of others are looked at for a moment only (looks.ts), so that one
 * whose disk hangs does not hide who uses this one.
 */
import type { BigIntStats } from 'node:fs';
import { findClaims } from '../block/claims.ts';
import { describeClaim } from '../block/holder.ts';
import { deviceOfMountOf } from '../block/mounts.ts';
import { blockDeviceName, type DeviceNumber, deviceNumber } from '../block/number.ts';
import { commandOf, inodeOf, openFilesOfOthers } from '../block/open-files.ts';
import { devicesBelow, diskOf, kernelLoops, loopFileOf, partitionsOf } from '../block/topology.ts';
import { findDevices } from '../control/discovery.ts';
import { readText } from '../native/kernel-files.ts';
import type { DeviceRecord, FileIdentity } from '../record/device-record.ts';
import { readRecord } from '../record/store.ts';
import { readUnchanged } from '../record/unchanged.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { deviceNamed, deviceOf, type FoundFile, identityOf, lookAt, recordedDeviceOf } from './looks.ts';

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
  const words = (await systemUse(file)) ?? (await lockOwner(file.stat));
  return words === null ? null : { words };
}

/** A sentence about how the kernel itself uses the file or block device (mount, swap, dm, md, loop device), or null. */
export async function systemUse({ path, stat }: FoundFile): Promise<string | null> {
  if (!stat.isBlockDevice()) {
    const loops = kernelLoops().filter(({ file }) => deviceOfMountOf(file) === deviceOf({ path, stat }));
    const [loop] = await whichOf(loops, ({ file }) => isAt(stat, file));
    return loop === undefined ? null : `/dev/${loop.name} uses it (\`losetup -d /dev/${loop.name}\` detaches it)`;
  }
  const number = deviceNumber(stat.rdev);
  const disk = diskOf(number);
  // A partition cannot be claimed while its whole disk is in use. Uses of the disk's other partitions do not matter.
  const related = disk === null ? partitionsOf(number).map((partition) => partition.number) : [disk];
  const [claim] = findClaims([number, ...related]);
  return claim === undefined ? null : describeClaim(claim);
}

/**
 * A sentence that says that what is on the block device `under` lies on `device` itself, directly or through others, or null. A device that
 * waits for itself never answers.
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
function devicesOfFiles(record: DeviceRecord | null): (DeviceNumber | null)[] {
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
  const serving = await whichOf(recordedDevices(except), async ({ spec, identities = [] }) => {
    const worthALook = spec.files.filter((path, index) => mayOverlap(file, path, identities[index]));
    const overlapping = await whichOf(worthALook, (path) => overlaps(file.stat, path));
    return overlapping.length > 0;
  });
  return serving.map(({ device }) => device);
}

/**
 * Whether the name `other` of a device's file may lead to this one: it is the same name, a node in /dev, or what the
 * device's server opened by it.
 */
function mayOverlap({ path, stat }: FoundFile, other: string, recorded: FileIdentity | undefined): boolean {
  if (recorded === undefined || other === path || other.startsWith('/dev/')) return true;
  const { device, inode, blockDevice } = identityOf(stat);
  if (blockDevice !== null || recorded.blockDevice !== null)
    return blockDevice !== null && recorded.blockDevice !== null;
  return device === recorded.device && inode === recorded.inode;
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

/** Whether both are the same file or device, or one is a partition of the other. */
async function overlaps(stat: BigIntStats, path: string): Promise<boolean> {
  const other = await lookAt(path);
  if (other === null) return false;
  if (!stat.isBlockDevice() || !other.isBlockDevice()) return isSame(stat, other);
  const [a, b] = [deviceNumber(stat.rdev), deviceNumber(other.rdev)];
  return a === b || diskOf(a) === b || diskOf(b) === a;
}

/** Whether both are the same file, or nodes of the same device. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  if (a.isBlockDevice() || b.isBlockDevice()) return a.isBlockDevice() && b.isBlockDevice() && a.rdev === b.rdev;
  return a.dev === b.dev && a.ino === b.ino;
}

/**
 * A sentence about the process that has the file open and locked. /proc/locks names no owner for locks of open files.
 */
async function lockOwner(stat: BigIntStats): Promise<string | null> {
  for (const { pid, fd, link } of openFilesOfOthers()) {
    if (!mayBe(stat, { pid, fd }) || !(await isAt(stat, link))) continue;
    // The exclusive open of a block device leaves no mark in fdinfo.
    const locked = isLocked(pid, fd);
    if (locked || stat.isBlockDevice()) return `pid ${pid} (${commandOf(pid)}) has it ${locked ? 'locked' : 'open'}`;
  }
  return null;
}

function isLocked(pid: number, fd: string): boolean {
  return readText(`/proc/${pid}/fdinfo/${fd}`)?.includes('\nlock:') ?? false;
}

/**
 * Whether an open file may be this one, as far as its inode number tells, which the kernel knows without asking the file
 * system. Two nodes of one block device have two numbers.
 */
function mayBe(stat: BigIntStats, { pid, fd }: { readonly pid: number; readonly fd: string }): boolean {
  const inode = stat.isBlockDevice() ? null : inodeOf(pid, fd);
  return inode === null || inode === stat.ino;
}

async function isAt(stat: BigIntStats, path: string): Promise<boolean> {
  const other = await lookAt(path);
  return other !== null && isSame(stat, other);
}

/** Those of which it is true. */
async function whichOf<T>(all: readonly T[], isTrue: (one: T) => Promise<boolean>): Promise<T[]> {
  const answers = await Promise.all(all.map(isTrue));
  return all.filter((_, index) => answers[index]);
}
