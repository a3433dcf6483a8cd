/**
 * Finds out who uses a file or a block device. It is called only when a claim has been refused, so it may take the time
 * to look at every process.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { findClaims } from '../block/claims.ts';
import { describeClaim } from '../block/holder.ts';
import { blockDeviceName, type DeviceNumber, deviceNumber } from '../block/number.ts';
import { commandOf, openFilesOfOthers } from '../block/open-files.ts';
import { devicesBelow, deviceUnder, diskOf, kernelLoops, partitionsOf } from '../block/topology.ts';
import { findDevices } from '../control/discovery.ts';
import { readText } from '../native/kernel-files.ts';
import { readRecord } from '../record/store.ts';
import { readUnchanged } from '../record/unchanged.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';

/** Who uses a file or a block device. */
export interface FileUser {
  /** A sentence about the user. */
  readonly words: string;
  /** The id of the ublk device that serves the file, if that is the user. */
  readonly id?: number;
}

/** The user of the file, or null. `except` is the id of the device that asks. */
export function holderOf(stat: BigIntStats, except: number): FileUser | null {
  const [device] = devicesServing(stat, except);
  if (device !== undefined) return device;
  const words = systemUse(stat) ?? lockOwner(stat);
  return words === null ? null : { words };
}

/** A sentence about how the kernel itself uses the file or block device (mount, swap, dm, md, loop device), or null. */
export function systemUse(stat: BigIntStats): string | null {
  if (!stat.isBlockDevice()) {
    const loop = kernelLoops().find(({ file }) => isAt(stat, file))?.name;
    return loop === undefined ? null : `/dev/${loop} uses it (\`losetup -d /dev/${loop}\` detaches it)`;
  }
  const number = deviceNumber(stat.rdev);
  const disk = diskOf(number);
  // A partition cannot be claimed while its whole disk is in use. Uses of the disk's other partitions do not matter.
  const related = disk === null ? partitionsOf(number).map((partition) => partition.number) : [disk];
  const [claim] = findClaims([number, ...related]);
  return claim === undefined ? null : describeClaim(claim);
}

/**
 * A sentence that says that the file lies on `device` itself, directly or through other devices, or null. A device that
 * waits for itself never answers.
 */
export function liesOnDevice(path: string, device: number): string | null {
  const seen = new Set<string>();
  const below = [deviceUnder(path)];
  for (let number = below.pop(); number !== undefined; number = below.pop()) {
    if (number === null || seen.has(number)) continue;
    seen.add(number);
    const id = ublkDisk(number);
    if (id === device) return `it lies on /dev/ublkb${device}, the device that it is to serve`;
    below.push(...devicesBelow(number, deviceUnder));
    const files = id === null ? [] : (readRecord(id)?.spec.files ?? []);
    below.push(...files.map(deviceUnder));
  }
  return null;
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
export function devicesServing(stat: BigIntStats, except: number): ServingDevice[] {
  return recordedDevices(except)
    .filter(({ spec }) => spec.files.some((path) => overlaps(stat, path)))
    .map(({ device }) => device);
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
}

/** All devices that have a record, other than `except`. */
export function recordedDevices(except: number): RecordedDevice[] {
  return findDevices().flatMap((id) => {
    const record = id === except ? null : readUnchanged(id);
    if (record === null) return [];
    const { spec, server } = record;
    const words = `device ${id} (${spec.target}, server pid ${server?.pid ?? 'unknown'}) serves it`;
    return [{ device: { id, share: spec.share, words }, spec }];
  });
}

/** Whether both are the same file or device, or one is a partition of the other. */
function overlaps(stat: BigIntStats, path: string): boolean {
  const other = statOf(path);
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
function lockOwner(stat: BigIntStats): string | null {
  for (const { pid, fd, link } of openFilesOfOthers()) {
    if (!isAt(stat, link)) continue;
    // The exclusive open of a block device leaves no mark in fdinfo.
    const locked = isLocked(pid, fd);
    if (locked || stat.isBlockDevice()) return `pid ${pid} (${commandOf(pid)}) has it ${locked ? 'locked' : 'open'}`;
  }
  return null;
}

function isLocked(pid: number, fd: string): boolean {
  return readText(`/proc/${pid}/fdinfo/${fd}`)?.includes('\nlock:') ?? false;
}

function isAt(stat: BigIntStats, path: string): boolean {
  const other = statOf(path);
  return other !== null && isSame(stat, other);
}

function statOf(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}
