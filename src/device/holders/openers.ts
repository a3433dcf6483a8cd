/** Processes that have a device open, found in /proc/PID/fd. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { deviceNumber, type DiskNumbers, namesIn } from '../../control/sysfs.ts';
import { readProcess } from '../../record/process-state.ts';
import type { Holder } from './holder.ts';

export type ProcessHolder = Extract<Holder, { kind: 'process' }>;

/** Finds every process but this one. */
export function findOpeners({ devices, charDevice }: DiskNumbers): ProcessHolder[] {
  const pids = namesIn('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((name) => {
    const has = (fd: string): boolean => isOpen(`/proc/${name}/fd/${fd}`, devices, charDevice);
    if (!descriptorsOf(name).some(has)) return [];
    const pid = Number(name);
    return [{ kind: 'process', pid, command: readProcess(pid).command }];
  });
}

function descriptorsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    // It has ended, or it is not for this user.
    return [];
  }
}

/** The link of a device that is gone still names it, with ` (deleted)`, and leads to it. */
function isOpen(link: string, devices: readonly string[], charDevice: string | null): boolean {
  try {
    if (!readlinkSync(link).startsWith('/dev/')) return false;
    const stats = statSync(link);
    const number = deviceNumber(stats.rdev);
    return stats.isBlockDevice() ? devices.includes(number) : stats.isCharacterDevice() && number === charDevice;
  } catch {
    return false;
  }
}
