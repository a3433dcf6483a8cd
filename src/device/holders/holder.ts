/** Who uses a block device. */

export type Holder =
  /** A mounted file system; `pid` names a process that sees the mount, in whatever mount namespace it is. */
  | { readonly kind: 'mount'; readonly path: string; readonly fileSystem: string; readonly pid: number }
  | { readonly kind: 'swap'; readonly path: string }
  /** A block device that is made of it: device mapper, LVM, md, loop. */
  | { readonly kind: 'device'; readonly name: string; readonly label: string | null }
  | { readonly kind: 'process'; readonly pid: number; readonly command: string };

/** Ends a sentence that begins with the device: "ublkb0 is mounted at /mnt". */
export function describeHolder(holder: Holder): string {
  switch (holder.kind) {
    case 'mount':
      return `mounted at ${holder.path} (${holder.fileSystem})`;
    case 'swap':
      return `used as swap (${holder.path})`;
    case 'device':
      return `part of ${holder.name}${holder.label === null ? '' : ` (${holder.label})`}`;
    default:
      return `open in process ${holder.pid} (${holder.command})`;
  }
}

export function describeHolders(holders: readonly Holder[]): string {
  return holders.map(describeHolder).join(', ');
}

/** The command to type that makes the holder let go. */
export function releaseCommand(holder: Holder): string {
  switch (holder.kind) {
    case 'mount':
      return `umount ${holder.path}`;
    case 'swap':
      return `swapoff ${holder.path}`;
    case 'device':
      if (holder.name.startsWith('dm-')) return `dmsetup remove ${holder.label ?? holder.name}`;
      return holder.name.startsWith('md') ? `mdadm --stop /dev/${holder.name}` : `losetup -d /dev/${holder.name}`;
    default:
      return `kill ${holder.pid}`;
  }
}
