/**
 * Says which backing disks are others than the server before had, although their names are the same: a loop device that was
 * attached to another file, a logical volume that was made again.
 */
import type { DeviceRecord } from '../../record/device-record.ts';
import { type FoundFile, identityOf } from '../../targets/looks.ts';

/** Notes for `recover`, which goes on: the disk may have the same data. */
export function otherDisks(before: DeviceRecord | null, files: readonly FoundFile[]): string[] {
  const known = before?.identities ?? [];
  return files.flatMap(({ path, stat }, index) => {
    const earlier = before?.spec.files[index] === path ? known[index]?.sequence : undefined;
    if (earlier === undefined || earlier === identityOf(stat).sequence) return [];
    return [
      `${path} is not the disk that the device had before: it was attached or made again since, and may have other data`,
    ];
  });
}
