/** The files that other processes have open, as /proc/PID/fd shows them. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';
import { type DeviceNumber, deviceNumber } from './number.ts';

export interface OpenFile {
  readonly pid: number;
  readonly fd: string;
  /** /proc/PID/fd/N, a link that leads to the file whatever has become of its name. */
  readonly link: string;
}

/** Walks the descriptors of every process but this one. What is closed meanwhile cannot be read any more. */
export function* openFilesOfOthers(): Generator<OpenFile> {
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    for (const fd of descriptorsOf(name)) yield { pid: Number(name), fd, link: `/proc/${name}/fd/${fd}` };
  }
}

/** Links in /proc/PID/fd. */
export function openFilesOf(pid: number): string[] {
  return descriptorsOf(String(pid)).map((fd) => `/proc/${pid}/fd/${fd}`);
}

/**
 * The block device that a file in /proc/PID/fd is, or null. Only one whose name `isWanted` is looked at; the name of a
 * device whose node is gone ends with ` (deleted)`.
 */
export function openBlockDevice(link: string, isWanted: (name: string) => boolean): DeviceNumber | null {
  try {
    if (!isWanted(readlinkSync(link))) return null;
    const stats = statSync(link);
    return stats.isBlockDevice() ? deviceNumber(stats.rdev) : null;
  } catch {
    // It has been closed since, or it is not for this user.
    return null;
  }
}

/**
 * The inode number of an open file, which the kernel tells without asking the file system; null where it is not told (before
 * Linux 5.14).
 */
export function inodeOf(pid: number, fd: string): bigint | null {
  const number = /^ino:\s*(\d+)$/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1];
  return number === undefined ? null : BigInt(number);
}

/** The kernel's name of a process, of at most 15 bytes; `?` when it is gone. */
export function commandOf(pid: number): string {
  return readText(`/proc/${pid}/comm`) ?? '?';
}

function descriptorsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    // The process has ended, or this user may not look at it.
    return [];
  }
}
