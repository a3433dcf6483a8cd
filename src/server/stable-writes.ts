/**
 * Some disks need the pages of a write to stay as they are until it has ended: those that make checksums of them (iSCSI and
 * NVMe over TCP with digests, rbd) or compress them (zram). File systems keep their pages so where the kernel says it of the
 * disk. Where a device's requests are not copied, its disk gets the pages of the client, so the device has to say it too.
 */
import { readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { DeviceNumber } from '../block/number.ts';
import { withinMs } from '../control/waiting.ts';
import { readText } from '../native/kernel-files.ts';
import { BackingCalls, type Caller } from '../targets/backing-calls.ts';
import { deviceOf } from '../targets/looks.ts';

/** The kernel waits for the requests under way, which may be with a disk that hangs. */
const BOUND_MS = 2_000;

/**
 * `files`: the descriptors that the target's operations name, whoever has opened them. Makes `caller` look at them. The device is
 * live, and nobody has mounted it yet.
 */
export async function keepWritesStable(device: number, files: readonly number[], caller: Caller): Promise<void> {
  const disks = await Promise.all(files.map((fd) => diskBelow(fd, caller)));
  if (!disks.some((disk) => disk !== null && needsStableWrites(disk))) return;
  // Where /sys cannot be written, as in a container, clients do what they did before.
  const written = writeFile(`/sys/block/ublkb${device}/queue/stable_writes`, '1').catch(() => {});
  await withinMs(written, BOUND_MS, undefined);
}

/** The block device that the file is or that its file system is on; null when there is none, or the file does not answer. */
async function diskBelow(fd: number, caller: Caller): Promise<DeviceNumber | null> {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    return deviceOf({ path, stat: await new BackingCalls(path, { caller, timeoutMs: BOUND_MS }).fstat(fd) });
  } catch {
    return null;
  }
}

/** A partition has the limits of its disk, which is one folder up. */
function needsStableWrites(disk: DeviceNumber): boolean {
  const folder = `/sys/dev/block/${disk}`;
  const limit = readText(`${folder}/queue/stable_writes`) ?? readText(`${folder}/../queue/stable_writes`);
  return limit === '1';
}
