/** Files that no device can lie on, each refused with the reason and with what helps. */
import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { findExports } from '../block/claims.ts';
import { type DeviceNumber, deviceNumber } from '../block/number.ts';
import type { Params } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { readText } from '../native/kernel-files.ts';
import { HUGETLBFS_MAGIC } from '../native/uapi/fs.ts';
import { UBLK_ATTR_READ_ONLY } from '../native/uapi/ublk-params.ts';
import { isOwnFile, OWN_DIRECTORIES } from '../record/files.ts';
import type { BackingCalls } from './backing-calls.ts';
import { diskUse, isSame, liesOnDevice, systemUse } from './holders.ts';
import type { FoundFile } from './looks.ts';

export function refusal(path: string, code: string, reason: string, hint: string): UblkError {
  return new UblkError(`cannot use backing file ${path}: ${reason}`, { code, command: 'open', hint });
}

/**
 * Throws for a file that lies on the device itself: opening it would wait for the server that is opening it. `number`: the
 * block device that the file is, or that its file system is on.
 */
export function requireElsewhere(path: string, number: DeviceNumber | null, device: number): void {
  const own = device < 0 ? null : liesOnDevice(number, device);
  if (own !== null) throw refusal(path, 'EINVAL', own, 'name a file that is on another disk');
}

/** Refuses a file that is given twice. */
export function requireDistinct(paths: readonly string[], stats: readonly BigIntStats[]): void {
  for (const [index, stat] of stats.entries()) {
    const other = stats.findIndex((earlier) => isSame(earlier, stat));
    if (other < index) {
      throw refusal(paths[index]!, 'EINVAL', `it is the same file as ${paths[other]}`, 'give each file once');
    }
  }
}

/** Refuses a file that a loop device or a server of the kernel uses, and a disk that such a server uses. They lock neither. */
export async function requireUnused(file: FoundFile, resident: boolean): Promise<void> {
  const { stat } = file;
  const use = stat.isBlockDevice() ? diskUse(stat, findExports) : await systemUse(stat, resident);
  if (use !== null) throw refusal(file.path, 'EBUSY', use, 'end that use first, or use another file');
}

/** Refuses what ublkts keeps for itself, by whatever path it is named. */
export function requireForeign({ path, stat }: FoundFile): void {
  // Only a path on one of these file systems is followed: others may hang.
  if (!stat.isFile() || !OWN_DIRECTORIES.some((directory) => isOn(stat, directory)) || !isOwnFile(realpathSync(path)))
    return;
  throw refusal(path, 'EINVAL', 'it is a file of ublkts itself', 'name a file of your own');
}

function isOn({ dev }: BigIntStats, directory: string): boolean {
  return statSync(directory, { bigint: true, throwIfNoEntry: false })?.dev === dev;
}

/**
 * Refuses a file that can no longer be written. A recovered device still takes writes, and each of them would be lost. `kept`: what
 * the kernel has of a device that is recovered; null for a new one.
 */
export function requireMadeReadOnly(path: string, device: number, kept: Params | null): void {
  if (kept === null || (kept.basic.attrs & UBLK_ATTR_READ_ONLY) !== 0) return;
  const why = `it cannot be written any more, and device ${device} was made for writing`;
  throw refusal(path, 'EROFS', why, `make it writable again, and then \`ublkts recover -n ${device}\``);
}

/** Refuses a file on hugetlbfs: it opens for writing, and refuses every write(2). */
export async function requireWrites(calls: BackingCalls, fd: number): Promise<void> {
  if ((await calls.statfs(fd)).type !== HUGETLBFS_MAGIC) return;
  const why = 'it is on hugetlbfs, whose files take no writes';
  throw refusal(calls.path, 'EINVAL', why, 'use a file on another file system');
}

/** Refuses a disk whose zones take nothing but writes in their order. */
export function requireAnyOrder(path: string, stat: BigIntStats): void {
  const zoned = stat.isBlockDevice() ? readText(`/sys/dev/block/${deviceNumber(stat.rdev)}/queue/zoned`) : null;
  if (zoned !== 'host-managed') return;
  throw refusal(path, 'EINVAL', 'it is a zoned disk, which cannot be written in any order', 'use another disk');
}
