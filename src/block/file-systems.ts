/**
 * File systems as they show themselves in /sys/fs and /proc/fs. That tells of uses which no mount names: the further disks of
 * a file system, and one that is mounted where no process sees it (`umount -l`, a mount namespace that a file keeps).
 */
import { namesIn, readText } from '../native/kernel-files.ts';
import { blockDeviceNumber } from './number.ts';

/** A disk or partition that a file system uses. */
export interface FileSystemUse {
  /** The kernel's name of the disk or partition. */
  readonly device: string;
  readonly fileSystem: string;
  /** The kernel's names of the disks by which mounts name the file system. */
  readonly mountedAs: readonly string[];
}

/** Their folder in /sys/fs has a folder for each file system, which has the name of the disk. */
const NAMED_BY_DISK = ['ext4', 'f2fs', 'nilfs2', 'xfs'];

export function fileSystemUses(): FileSystemUse[] {
  return [...NAMED_BY_DISK.flatMap(namedByDisk), ...ext4Journals(), ...btrfsDisks()];
}

function namedByDisk(fileSystem: string): FileSystemUse[] {
  return namesIn(`/sys/fs/${fileSystem}`).map((device) => ({ device, fileSystem, mountedAs: [device] }));
}

/** The journals that are a disk of their own. One within its file system has an inode number behind the name of the disk. */
function ext4Journals(): FileSystemUse[] {
  const disks = namesIn('/proc/fs/jbd2').filter((name) => blockDeviceNumber(name) !== null);
  return disks.map((device) => {
    const mountedAs = namesIn('/sys/fs/ext4').filter((name) => journalTask(name) === `jbd2/${device}`);
    return { device, fileSystem: 'ext4', mountedAs };
  });
}

/** The name of the kernel thread that writes the journal of an ext4 file system. */
function journalTask(name: string): string | null {
  return readText(`/proc/${readText(`/sys/fs/ext4/${name}/journal_task`)}/comm`);
}

/** A mount of btrfs names one of its disks. */
function btrfsDisks(): FileSystemUse[] {
  return namesIn('/sys/fs/btrfs').flatMap((uuid) => {
    const mountedAs = namesIn(`/sys/fs/btrfs/${uuid}/devices`);
    return mountedAs.map((device) => ({ device, fileSystem: 'btrfs', mountedAs }));
  });
}
