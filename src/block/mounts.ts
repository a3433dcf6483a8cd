/** Mounted file systems, as /proc/PID/mountinfo shows them. */
import { readlinkSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';
import { type DeviceNumber, numberOfNode } from './number.ts';

export interface Mount {
  /** The number of the file system. */
  readonly device: DeviceNumber;
  readonly path: string;
  readonly fileSystem: string;
  readonly source: string;
}

/** A mount that the process `pid` sees. */
export type SeenMount = Mount & { readonly pid: number };

/** The mounts of each mount namespace that some process is in. Those of this process come first. */
export function mountsEverywhere(): SeenMount[] {
  return onePerMountNamespace().flatMap((entry) => {
    const pid = entry === 'self' ? process.pid : Number(entry);
    return mountsSeenBy(entry).map((mount) => ({ ...mount, pid }));
  });
}

/** `entry`: the process's name in /proc, which may be `self`. */
export function mountsSeenBy(entry: string): Mount[] {
  return parseMountInfo(readText(`/proc/${entry}/mountinfo`) ?? '');
}

/** The block device that a mount uses. btrfs gives its mounts a number of its own, and names the device as the source. */
export function deviceOfMount({ device, source }: Mount): DeviceNumber | null {
  return device.startsWith('0:') ? numberOfNode(source) : device;
}

/**
 * The block device of the mount that a path is on, as far as its text tells: nobody looks at the file itself, which may be on
 * a device that does not answer.
 */
export function deviceOfMountOf(path: string, mounts: readonly Mount[] = mountsSeenBy('self')): DeviceNumber | null {
  const above = mounts.filter(
    (mount) => path === mount.path || path.startsWith(`${mount.path === '/' ? '' : mount.path}/`),
  );
  // Of mounts on one directory, the last one is on top.
  const mount = above.toReversed().toSorted((a, b) => b.path.length - a.path.length)[0];
  return mount === undefined ? null : deviceOfMount(mount);
}

/** Lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, , path] = before.split(' ');
    const [fileSystem, source] = after.split(' ');
    if (device === undefined || path === undefined || fileSystem === undefined || source === undefined) return [];
    return [{ device, path: unescapeOctal(path), fileSystem, source: unescapeOctal(source) }];
  });
}

/** Blanks, tabs, newlines and backslashes of a path are written as `\040` and the like in /proc. */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Names in /proc. */
function onePerMountNamespace(): string[] {
  const entries = new Map<string, string>();
  for (const entry of ['self', ...namesIn('/proc').filter((name) => /^\d+$/.test(name))]) {
    try {
      const namespace = readlinkSync(`/proc/${entry}/ns/mnt`);
      if (!entries.has(namespace)) entries.set(namespace, entry);
    } catch {
      // The process has ended, or this user may not look at it.
    }
  }
  return [...entries.values()];
}
