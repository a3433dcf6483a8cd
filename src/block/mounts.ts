/** Mounted file systems, as /proc/PID/mountinfo shows them. */
import { readlinkSync } from 'node:fs';
import { namesIn, readText } from '../native/kernel-files.ts';
import { type DeviceNumber, numberOfNode } from './number.ts';

export interface Mount {
  /** The mount's number, and that of the mount that it is on. */
  readonly id: number;
  readonly parent: number;
  /** The number of the file system. */
  readonly device: DeviceNumber;
  readonly path: string;
  readonly fileSystem: string;
  readonly source: string;
  /** The options of the file system, separated by commas. */
  readonly options: string;
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

/** The same, and the disks of their own that xfs has for its log and for real-time files. */
export function devicesOfMount(mount: Mount): DeviceNumber[] {
  const further = mount.fileSystem === 'xfs' ? mount.options.split(',') : [];
  const named = further.flatMap((option) => /^(?:logdev|rtdev)=(.+)$/.exec(option)?.[1] ?? []);
  return [deviceOfMount(mount), ...named.map((path) => numberOfNode(unescapeOctal(path)))].filter(
    (one) => one !== null,
  );
}

/**
 * The mount that a path without symbolic links is on, as its text tells: nobody looks at the file itself, which may be on a
 * device that does not answer.
 */
export function mountOf(path: string, mounts: readonly Mount[] = mountsSeenBy('self')): Mount | null {
  const ids = new Set(mounts.map(({ id }) => id));
  // The search begins at the root's mount, whose parent is not listed, and goes from mount to mount as the kernel does. So a
  // mount that is hidden below another one is not found.
  let found = mounts.find(({ id, parent, path: at }) => at === '/' && (parent === id || !ids.has(parent))) ?? null;
  for (let next = found; next !== null; next = nextMount(next, path, mounts)) found = next;
  return found;
}

function nextMount({ id }: Mount, path: string, mounts: readonly Mount[]): Mount | null {
  const onIt = mounts.filter((mount) => mount.parent === id && mount.id !== id && isWithin(path, mount.path));
  return onIt.toSorted((a, b) => a.path.length - b.path.length)[0] ?? null;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** The block device of the mount that a path is on, as its text tells. */
export function deviceOfMountOf(path: string, mounts?: readonly Mount[]): DeviceNumber | null {
  const mount = mountOf(path, mounts);
  return mount === null ? null : deviceOfMount(mount);
}

/** Lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [id, parent, device, , path] = before.split(' ');
    const [fileSystem, source, options = ''] = after.split(' ');
    if (device === undefined || path === undefined || fileSystem === undefined || source === undefined) return [];
    const names = { path: unescapeOctal(path), fileSystem, source: unescapeOctal(source), options };
    return [{ id: Number(id), parent: Number(parent), device, ...names }];
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
