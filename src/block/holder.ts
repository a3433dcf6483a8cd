/** The users of a block device, and the sentences that name them. */
import { quoteWord } from '../text/shell-words.ts';

/** A use that would lose data if the device went away. */
export type Claimant =
  /** A mounted file system; `pid` names a process that sees the mount, in whatever mount namespace it is. */
  | { readonly kind: 'mount'; readonly path: string; readonly fileSystem: string; readonly pid: number }
  /** A file system whose mount no process sees. */
  | { readonly kind: 'file-system'; readonly fileSystem: string }
  | { readonly kind: 'swap'; readonly path: string }
  /** A block device that is made of it: device mapper, LVM, md, loop, zram, bcache, drbd, ublk. */
  | { readonly kind: 'device'; readonly name: string; readonly label: string | null }
  /** A server in the kernel that gives others the disk (nvmet, LIO); `release` is the command that ends that. */
  | { readonly kind: 'export'; readonly name: string; readonly release: string };

/** A process that has the device open. */
export interface Opener {
  readonly kind: 'process';
  readonly pid: number;
  readonly command: string;
}

export type Holder = Claimant | Opener;

/** The end of a sentence that begins with the device that is to go: "device 0 is mounted at /mnt (ext4)". */
export function describeHolder(holder: Holder): string {
  switch (holder.kind) {
    case 'mount':
      return `mounted at ${holder.path} (${holder.fileSystem})`;
    case 'file-system':
      return `part of a file system (${holder.fileSystem}) whose mount cannot be seen here`;
    case 'swap':
      return `used as swap (${holder.path})`;
    case 'device':
      return `part of ${nameOf(holder)}`;
    case 'export':
      return `served by ${holder.name}`;
    default:
      return `open in process ${holder.pid} (${holder.command})`;
  }
}

export function describeHolders(holders: readonly Holder[]): string {
  return holders.map(describeHolder).join(', ');
}

/** A sentence about the disk or partition that is used: "sda1 is mounted on /mnt". */
export function describeClaim({ device, claimant }: { readonly device: string; readonly claimant: Claimant }): string {
  switch (claimant.kind) {
    case 'mount':
      return `${device} is mounted on ${claimant.path}`;
    case 'file-system':
      return `${device} is part of a file system (${claimant.fileSystem}) whose mount cannot be seen here`;
    case 'swap':
      return `${device} is used as swap`;
    case 'export':
      return `${device} is served by ${claimant.name}`;
    default:
      return `${device} is used by ${nameOf(claimant)}`;
  }
}

/** Leaves each holder in the list once. One may hold both the disk and a partition, or be seen in two mount namespaces. */
export function distinct<T extends Holder>(holders: readonly T[]): T[] {
  const keyOf = (holder: T) => (holder.kind === 'device' ? holder.name : describeHolder(holder));
  return [...new Map(holders.map((holder) => [keyOf(holder), holder])).values()];
}

/** Says how the holder is made to let go: by a command, which is quoted, where there is one. */
export function toRelease(holder: Holder): string {
  if (holder.kind !== 'file-system') return `\`${releaseCommand(holder)}\``;
  return 'end the programs that have its files open (after `umount -l`), or unmount it in its mount namespace';
}

function releaseCommand(holder: Exclude<Holder, { kind: 'file-system' }>): string {
  switch (holder.kind) {
    case 'mount':
      return `umount ${quoteWord(holder.path)}`;
    case 'swap':
      return `swapoff ${quoteWord(holder.path)}`;
    case 'device':
      if (holder.name.startsWith('ublkb')) return `ublkts del -n ${holder.name.slice('ublkb'.length)}`;
      if (holder.name.startsWith('dm-')) return `dmsetup remove ${quoteWord(holder.label ?? holder.name)}`;
      if (holder.name.startsWith('zram')) return `zramctl --reset /dev/${holder.name}`;
      if (holder.name.startsWith('drbd')) return `drbdsetup detach ${holder.name.slice('drbd'.length)}`;
      if (holder.name.startsWith('bcache')) return `echo 1 > /sys/block/${holder.name}/bcache/stop`;
      return holder.name.startsWith('md') ? `mdadm --stop /dev/${holder.name}` : `losetup -d /dev/${holder.name}`;
    case 'export':
      return holder.release;
    default:
      return `kill ${holder.pid}`;
  }
}

function nameOf({ name, label }: Extract<Claimant, { kind: 'device' }>): string {
  return label === null ? name : `${name} (${label})`;
}
