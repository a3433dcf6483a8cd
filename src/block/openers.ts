/** Finds the processes that have a device open. */
import { readlinkSync, statSync } from 'node:fs';
import type { Opener } from './holder.ts';
import { type DeviceNumber, deviceNumber } from './number.ts';
import { commandOf, openFilesOf, openFilesOfOthers } from './open-files.ts';

/** `devices` are block devices; a `charDevice` is looked for too unless it is null. This process is left out. */
export function findOpeners(devices: readonly DeviceNumber[], charDevice: DeviceNumber | null): Opener[] {
  const pids = new Set<number>();
  for (const { pid, link } of openFilesOfOthers()) {
    if (!pids.has(pid) && leadsTo(link, devices, charDevice)) pids.add(pid);
  }
  return [...pids].map((pid) => ({ kind: 'process', pid, command: commandOf(pid) }));
}

/** Whether the process has one of these block devices open. */
export function hasOpen(pid: number, devices: readonly DeviceNumber[]): boolean {
  return openFilesOf(pid).some((link) => leadsTo(link, devices, null));
}

/** The link of a device that is gone still names it, with ` (deleted)`, and leads to it. */
function leadsTo(link: string, devices: readonly DeviceNumber[], charDevice: DeviceNumber | null): boolean {
  try {
    if (!readlinkSync(link).startsWith('/dev/')) return false;
    const stats = statSync(link);
    const number = deviceNumber(stats.rdev);
    return stats.isBlockDevice() ? devices.includes(number) : stats.isCharacterDevice() && number === charDevice;
  } catch {
    return false;
  }
}
