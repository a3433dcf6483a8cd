/** The files that other processes have open, as /proc/PID/fd shows them. */
import { readdirSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';

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
