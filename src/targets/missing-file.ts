/**
 * The hint of an error that says that a backing file is not there, or is empty. A new device can have a new file. A device that is
 * recovered has data in the old one, and a new file in its place would answer its clients with zeroes.
 */
import { quoteWord } from '../text/shell-words.ts';

/** `make`: what to do for a new device, where `recovered` is null; else it is the id of the device. */
export function missingFileHint(path: string, recovered: number | null, make: string): string {
  // A file that is made in /dev takes memory, and is in the way of the disk that was meant.
  if (recovered === null && /^\/dev\/(?!shm\/)/.test(path))
    return '`lsblk` shows the disks that there are, and their sizes';
  if (recovered === null) return `${make}, for instance with \`truncate -s 1G ${quoteWord(path)}\``;
  return `put back the file that the device had, or name it where it is now: \`ublkts recover -n ${recovered} FILE...\``;
}
