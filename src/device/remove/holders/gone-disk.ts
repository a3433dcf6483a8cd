/**
 * Finds the numbers of a block device that has left sysfs, as that of a stopped device does, by those who still use it:
 * a process that has it open, and a mount. No other device can have the name, because its id is taken until they let go.
 */
import { readlinkSync, statSync } from 'node:fs';
import { mountsEverywhere } from '../../../block/mounts.ts';
import { type DeviceNumber, deviceNumber } from '../../../block/number.ts';
import { openFilesOfOthers } from '../../../block/open-files.ts';

/** The numbers of the disk and its partitions, as far as they are in use. */
export function goneDiskNumbers(id: number): DeviceNumber[] {
  // The link of a device whose node is gone ends with ` (deleted)`.
  const disk = new RegExp(`^/dev/ublkb${id}(p\\d+)?( \\(deleted\\))?$`);
  const opened = [...openFilesOfOthers()].flatMap(({ link }) => numberOf(link, disk) ?? []);
  const mounted = mountsEverywhere().flatMap(({ source, device }) => (disk.test(source) ? [device] : []));
  return [...new Set([...opened, ...mounted])];
}

function numberOf(link: string, disk: RegExp): DeviceNumber | null {
  try {
    if (!disk.test(readlinkSync(link))) return null;
    const stats = statSync(link);
    return stats.isBlockDevice() ? deviceNumber(stats.rdev) : null;
  } catch {
    // It has been closed since, or it is not for this user.
    return null;
  }
}
