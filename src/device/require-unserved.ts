/**
 * Whether an export or a backing file is another device's or in use by the kernel, as far as device records and sysfs tell. The
 * server's claim (targets/claims.ts) is what counts; this says it before anything is made, and also guards the files of a device
 * that waits for `recover`, whose lock is gone with its server.
 */
import type { DeviceNumber } from '../block/number.ts';
import type { ControlChannel } from '../control/channel.ts';
import { findDevInfo } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_QUIESCED } from '../native/uapi/ublk-device.ts';
import type { AddOptions } from '../spec/options.ts';
import { requireElsewhere } from '../targets/unfit-files.ts';
import { refusedUse } from '../targets/claims.ts';
import { devicesServing, type ServingDevice, systemUse } from '../targets/holders.ts';
import { deviceNamed, deviceOf, type FoundFile } from '../targets/looks.ts';
import { builtInTarget } from '../targets/registry.ts';
import { ublkDisksUnder } from '../targets/stack.ts';

export async function requireUnserved(
  channel: ControlChannel,
  { target, share, id, targetOptions }: AddOptions,
  files: readonly FoundFile[],
): Promise<void> {
  const isTaken = (device: ServingDevice): boolean => !(share && device.share) && isAlive(channel, device.id);
  const found = await builtInTarget(target)?.alsoServed?.(targetOptions, id);
  const served = found?.devices.find(isTaken);
  if (found && served !== undefined) throw refusedUse(found.uri, served, 'export');
  for (const file of files) {
    const { path } = file;
    requireServed(channel, path, deviceOf(file), id);
    const other = (await devicesServing(file, id)).find(isTaken);
    if (other !== undefined) throw refusedUse(path, other);
    const use = share ? null : await systemUse(file.stat);
    if (use !== null) throw refusedUse(path, { words: use });
  }
}

/**
 * Refuses files on the device itself and on a ublk device that waits for a server, as far as their names tell where they are:
 * whoever looks at one may have to wait too.
 */
export function requireServedBelow(channel: ControlChannel, { files, id }: Pick<AddOptions, 'files' | 'id'>): void {
  for (const path of files) requireServed(channel, path, deviceNamed(path), id);
}

/** `number`: the block device that the file is, or that its file system is on. `device`: the one that it is for. */
function requireServed(channel: ControlChannel, path: string, number: DeviceNumber | null, device: number): void {
  requireElsewhere(path, number, device);
  const waits = ublkDisksUnder(channel, number).find((id) => findDevInfo(channel, id)?.state === UBLK_S_DEV_QUIESCED);
  if (waits === undefined) return;
  throw new UblkError(`cannot use backing file ${path}: it lies on device ${waits}, which has no server`, {
    code: 'EBUSY',
    command: 'open',
    hint: `\`ublkts recover -n ${waits}\` gives it one`,
  });
}

/** A device that is dead has no clients left, and never gets any. */
function isAlive(channel: ControlChannel, id: number): boolean {
  const info = findDevInfo(channel, id);
  return info !== null && info.state !== UBLK_S_DEV_DEAD;
}
