/**
 * Whether an export or a backing file is another device's or in use by the kernel, as far as device records and sysfs tell. The server's claim (targets/claims.ts) is
 * what counts; this says it before anything is made, and also guards the files of a device that waits for `recover`,
 * whose lock is gone with its server.
 */
import { type BigIntStats, statSync } from 'node:fs';
import type { ControlChannel } from '../control/channel.ts';
import { findDevInfo } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_QUIESCED } from '../native/uapi/ublk-device.ts';
import type { AddOptions } from '../spec/options.ts';
import { requireElsewhere } from '../targets/backing-files.ts';
import { refusedUse } from '../targets/claims.ts';
import { devicesServing, type ServingDevice, systemUse } from '../targets/holders.ts';
import { builtInTarget } from '../targets/registry.ts';
import { ublkDisksUnder } from '../targets/stack.ts';

export async function requireUnserved(
  channel: ControlChannel,
  { target, files, share, id, targetOptions }: AddOptions,
): Promise<void> {
  const isTaken = (device: ServingDevice): boolean => !(share && device.share) && isAlive(channel, device.id);
  const found = await builtInTarget(target)?.alsoServed?.(targetOptions, id);
  const served = found?.devices.find(isTaken);
  if (found && served !== undefined) throw refusedUse(found.uri, served, 'export');
  for (const path of files) {
    requireElsewhere(path, id);
    requireServedBelow(channel, path);
    const stat: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    const other = devicesServing(stat, id).find(isTaken);
    if (other !== undefined) throw refusedUse(path, other);
    const use = share ? null : systemUse(stat);
    if (use !== null) throw refusedUse(path, { words: use });
  }
}

/** Refuses a file on a ublk device that waits for a server: whoever opens it waits too. */
function requireServedBelow(channel: ControlChannel, path: string): void {
  const waits = ublkDisksUnder(path).find((id) => findDevInfo(channel, id)?.state === UBLK_S_DEV_QUIESCED);
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
