/**
 * Finds the ublk devices that lie on other ublk devices. Only nodes in /dev are looked at, because a path on a file
 * system may hang: it may lie on the device that is about to go.
 */
import { type DeviceNumber, numberOfNode } from '../block/number.ts';
import { openBlockDevice, openFilesOf } from '../block/open-files.ts';
import { devicesBelow, loopFileOf } from '../block/topology.ts';
import { type ControlChannel, withControl } from '../control/channel.ts';
import { findDevInfo } from '../control/commands.ts';
import { findDevices } from '../control/discovery.ts';
import { diskNumbers } from '../control/sysfs.ts';
import { filesOf } from '../record/files.ts';
import { goingIds } from '../record/going-device.ts';
import type { DeviceRecord } from '../record/device-record.ts';
import { ownedBy } from '../record/ownership.ts';
import { isElsewhere, isServerAlive } from '../record/server-identity.ts';
import { isServerLockHeld } from '../record/server-lock.ts';
import { readUnchanged } from '../record/unchanged.ts';
import { devicesOfFiles, ublkDisk } from './holders.ts';
import { deviceOf, type FoundFile } from './looks.ts';
import { pathsOf } from './paths.ts';

interface Below {
  /** All block devices below a device: those that its target has open, and those on which these lie. */
  readonly numbers: ReadonlySet<DeviceNumber>;
  /** The ids of the ublk disks among them. */
  readonly disks: readonly number[];
}

/** The ublk devices at one moment, and which of them lies on which, also through partitions, dm, md and loop devices. */
export class UblkStack {
  readonly #below = new Map<number, Below>();

  constructor(channel: ControlChannel) {
    // A device that is being deleted may still store data.
    const ids = new Set([...findDevices(), ...goingIds()]);
    for (const id of ids) this.#below.set(id, below(blockDevicesOf(channel, id)));
  }

  /** The devices that lie on this one and may still write. */
  on(id: number): number[] {
    const above = [...this.#below].flatMap(([upper, { disks }]) => (upper !== id && disks.includes(id) ? [upper] : []));
    return above.filter(mayWrite);
  }

  /** Whether the device lies on one of these block devices. */
  isOn(id: number, numbers: readonly DeviceNumber[]): boolean {
    const below = this.#below.get(id);
    return below !== undefined && numbers.some((number) => below.numbers.has(number));
  }

  /** The devices `ids` in groups. A device lies on none of its own group, nor of those before it. */
  fromTheTop(ids: readonly number[]): number[][] {
    const groups: number[][] = [];
    for (const id of ids) (groups[this.#height(id, new Set())] ??= []).push(id);
    return [...groups].filter((group) => group !== undefined);
  }

  /** How many devices lie on each other above this one. `from` are those from which it was reached. */
  #height(id: number, from: ReadonlySet<number>): number {
    const reached = new Set([...from, id]);
    const above = this.on(id).filter((upper) => !reached.has(upper));
    return Math.max(0, ...above.map((upper) => 1 + this.#height(upper, reached)));
  }
}

/** The devices as they are now. */
export function readStack(): Promise<UblkStack> {
  return withControl((channel) => new UblkStack(channel));
}

/** The block devices that a device's target has open or may open. */
function blockDevicesOf(channel: ControlChannel, id: number): DeviceNumber[] {
  const record = ownRecord(channel, id);
  if (record === null) {
    // Another program serves it.
    const pid = findDevInfo(channel, id)?.ublksrv_pid ?? -1;
    return pid > 0 ? openNodes(openFilesOf(pid)) : [];
  }
  const { spec, server, descriptors = [] } = record;
  const named = pathsOf(spec).flatMap((path) => numberOfNode(path) ?? []);
  // A name that is not in /dev may be a link to a node, which the server has open.
  if (server === null || isElsewhere(server) || spec.files.every(isNode)) return named;
  const opened = openNodes(descriptors.map((fd) => `/proc/${server.pid}/fd/${fd}`));
  return opened.length > 0 && isServerAlive(server) ? [...named, ...opened] : named;
}

/** Records that were found to be about the devices that now have their ids. readUnchanged returns the same object until the record changes. */
const owned = new WeakSet<DeviceRecord>();

/** The device's record; null when there is none, or when it is that of an earlier device with this id. */
function ownRecord(channel: ControlChannel, id: number): DeviceRecord | null {
  const record = readUnchanged(id);
  if (record === null || owned.has(record)) return record;
  const info = findDevInfo(channel, id);
  if (info !== null && ownedBy(info, record) === null) return null;
  owned.add(record);
  return record;
}

/** The block devices among open files, links in /proc. */
function openNodes(links: readonly string[]): DeviceNumber[] {
  return links.flatMap((link) => openBlockDevice(link, isNode) ?? []);
}

/** Whether the device has a disk, or a server that has not closed its target. */
function mayWrite(id: number): boolean {
  return diskNumbers(id).devices.length > 0 || isServerLockHeld(filesOf(id).lock);
}

/** Whether the file is in /dev. Any other may lie on a file system that hangs, so it is not looked at. */
function isNode(name: string): boolean {
  return name.startsWith('/dev/');
}

/** The ids of the ublk disks that a block device is, or lies on, also through other ublk devices. */
export function ublkDisksUnder(channel: ControlChannel, number: DeviceNumber | null): readonly number[] {
  const found = new Set<number>();
  const left = [...disksBelow(number)];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    const files = devicesOfFiles(readUnchanged(id)).filter((number) => number !== null);
    left.push(...below([...blockDevicesOf(channel, id), ...files]).disks);
  }
  return [...found];
}

/** Whether a file or block device is, or lies on, the disk of a ublk device. */
export function isOnUblkDisk(file: FoundFile): boolean {
  return disksBelow(deviceOf(file)).length > 0;
}

function disksBelow(number: DeviceNumber | null): readonly number[] {
  return number === null ? [] : below([number]).disks;
}

function below(opened: readonly DeviceNumber[]): Below {
  const numbers = new Set<DeviceNumber>();
  const left = [...opened];
  for (let number = left.pop(); number !== undefined; number = left.pop()) {
    if (numbers.has(number)) continue;
    numbers.add(number);
    const file = loopFileOf(number);
    const backing = file === null ? null : numberOfNode(file);
    left.push(...devicesBelow(number), ...(backing === null ? [] : [backing]));
  }
  return { numbers, disks: [...numbers].flatMap((number) => ublkDisk(number) ?? []) };
}
