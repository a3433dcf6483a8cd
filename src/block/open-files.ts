/** The files that other processes have open, as /proc/PID/fd shows them. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';
import { type DeviceNumber, deviceNumber } from './number.ts';

export interface OpenFile {
  readonly pid: number;
  readonly fd: string;
  /** /proc/PID/fd/N, or that of one of its threads: a link that leads to the file whatever has become of its name. */
  readonly link: string;
}

/** Walks the descriptors of every process but this one. What is closed meanwhile cannot be read any more. */
export function* openFilesOfOthers(): Generator<OpenFile> {
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    for (const { folder, fd } of descriptorsOf(name)) yield { pid: Number(name), fd, link: `${folder}/${fd}` };
  }
}

/** Links in /proc/PID/fd. */
export function openFilesOf(pid: number): string[] {
  return descriptorsOf(String(pid)).map(({ folder, fd }) => `${folder}/${fd}`);
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

/** A descriptor in a folder of /proc. */
interface Descriptor {
  readonly folder: string;
  readonly fd: string;
}

/**
 * The first thread of a process that was killed shows no files any more, while another thread still waits for a request and has
 * them open.
 */
function descriptorsOf(pid: string): Descriptor[] {
  const own = descriptorsIn(`/proc/${pid}/fd`);
  if (own.length > 0) return own;
  return namesIn(`/proc/${pid}/task`).flatMap((thread) =>
    thread === pid ? [] : descriptorsIn(`/proc/${pid}/task/${thread}/fd`),
  );
}

function descriptorsIn(folder: string): Descriptor[] {
  try {
    return readdirSync(folder).map((fd) => ({ folder, fd }));
  } catch {
    // The process has ended, or this user may not look at it.
    return [];
  }
}
