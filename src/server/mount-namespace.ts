/**
 * The server's own mount namespace. A server that shares one with its clients may be the last process in it when it is
 * killed; the kernel then unmounts what is mounted there, and a file system on the server's own device would wait, in
 * the exit of the very process that was to serve it. So a server is started in a copy (device/servers/launch.ts), and once all
 * its files are open it lets go of every mount that it does not need: the copy would keep a file system busy that
 * everybody else has unmounted.
 */
import { readFileSync } from 'node:fs';
import { packagePath } from '../package-root.ts';
import { umount } from '../native/libc/calls.ts';
import { currentNamespace } from '../native/namespaces.ts';
import { RUN_DIRECTORY, SOCKET_DIRECTORY } from '../record/files.ts';
import { MNT_DETACH, UMOUNT_NOFOLLOW } from '../native/uapi/fs.ts';

/** Folders of which the server keeps all mounts. */
const KERNEL_FOLDERS = ['/dev', '/proc', '/sys'];

/**
 * Lets go of what is not needed, if this process is not in the namespace `callers`. `more`: absolute paths that the
 * target may want to open later.
 */
export function keepOnlyNeededMounts(callers: string | undefined, more: readonly string[]): void {
  if (callers === undefined || currentNamespace('mnt') === callers) return;
  const points = mountPoints(readFileSync('/proc/self/mountinfo', 'utf8'));
  const needed = [
    packagePath(),
    RUN_DIRECTORY,
    SOCKET_DIRECTORY,
    ...more,
    ...codeFiles(readFileSync('/proc/self/maps', 'utf8')),
  ];
  // Those on top of others first.
  for (const point of unneededMounts(points, needed).toReversed()) {
    umount(point, MNT_DETACH | UMOUNT_NOFOLLOW);
  }
}

/** Returns those `points`, in their order, that hold none of the paths in `needed` and nothing of the kernel's. */
export function unneededMounts(points: readonly string[], needed: readonly string[]): string[] {
  const kept = new Set(['/', ...needed.map((path) => mountOf(path, points))]);
  return points.filter((point) => !kept.has(point) && !KERNEL_FOLDERS.some((folder) => isIn(point, folder)));
}

function mountOf(path: string, points: readonly string[]): string {
  return points.reduce((best, point) => (isIn(path, point) && point.length > best.length ? point : best), '/');
}

function isIn(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

function mountPoints(mountinfo: string): string[] {
  return mountinfo
    .trimEnd()
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '/').replace(/\\([0-7]{3})/g, (_all, octal: string) => octalCharacter(octal)),
    );
}

function octalCharacter(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** Files that code was mapped from: what this process may still want to load lies beside them. */
function codeFiles(maps: string): string[] {
  return maps.split('\n').flatMap((line) => /^\S+ r-x\S* \S+ \S+ \d+ +(\/.*)$/.exec(line)?.[1] ?? []);
}
