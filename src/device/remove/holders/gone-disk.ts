/**
 * Finds the numbers of a block device that has left sysfs, as that of a stopped device does, by those who still use it:
 * a process that has it open, and a mount. No other device can have the name, because its id is taken until they let go.
 */
import { mountsEverywhere } from '../../../block/mounts.ts';
import type { DeviceNumber } from '../../../block/number.ts';
import { openBlockDevice, openFilesOfOthers } from '../../../block/open-files.ts';

/** The numbers of the disk and its partitions, as far as they are in use. */
export function goneDiskNumbers(id: number): DeviceNumber[] {
  const disk = new RegExp(`^/dev/ublkb${id}(p\\d+)?( \\(deleted\\))?$`);
  const opened = [...openFilesOfOthers()].flatMap(({ link }) => openBlockDevice(link, (name) => disk.test(name)) ?? []);
  const mounted = mountsEverywhere().flatMap(({ source, device }) => (disk.test(source) ? [device] : []));
  return [...new Set([...opened, ...mounted])];
}
