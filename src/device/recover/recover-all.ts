/** `recover -a`: gives every device whose server is gone a new one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { findDevInfo, getDevInfo } from '../../control/commands.ts';
import { findDevices } from '../../control/discovery.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { joinTexts, UblkError } from '../../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_LIVE } from '../../native/uapi/ublk-device.ts';
import { UBLK_F_USER_RECOVERY } from '../../native/uapi/ublk-features.ts';
import { ownedBy } from '../../record/ownership.ts';
import { isServerAlive, serverOf } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { checkGivenValues } from '../../spec/checks/values.ts';
import { given, type OrUndefined } from '../../spec/given.ts';
import type { AddOptions } from '../../spec/options.ts';
import { UblkStack } from '../../targets/stack.ts';
import { inParallel } from '../in-parallel.ts';
import { isTaken } from './device-lock.ts';
import { recoverDevice } from './recover.ts';

/** Each may start a process. */
const AT_ONCE = 4;
/** How long another command is waited for that recovers one of the devices. */
const OTHERS_MS = 30_000;
const RETRY_MS = 100;

export interface Recoveries {
  /** The ids of the devices that have a new server, in order. */
  readonly recovered: number[];
  /** One error for each device that has none, with its id as `device`. */
  readonly failed: UblkError[];
}

/**
 * Recovers every device that can be recovered and has no server: a device of a resident server into the server of that
 * name, which is started if it is gone, and any other into a process of its own. `overrides` are for all of them.
 * Devices of other programs are left alone. A failure of one does not end it. A device that another command recovers
 * meanwhile is not among the results.
 */
export async function recoverAllDevices(
  overrides: OrUndefined<Partial<AddOptions>> = {},
  waiting: WaitOptions = {},
): Promise<Recoveries> {
  checkGivenValues(given<Partial<AddOptions>>(overrides));
  requireWaiting(waiting);
  const recovered: number[] = [];
  const failed = new Map<number, UblkError>();
  const recover = async (id: number): Promise<void> => {
    try {
      if (await recoverUnlessOthersDo(id, overrides, waiting)) recovered.push(id);
      failed.delete(id);
    } catch (error) {
      waiting.signal?.throwIfAborted();
      if (!(error instanceof UblkError)) throw error;
      if (error.kind === 'no-device') failed.delete(id);
      else failed.set(id, about(id, error));
    }
  };
  for (const group of await withControl(orphansFromTheBottom)) await inParallel(group, AT_ONCE, recover);
  // The stack does not show that a device lies on another one by way of a file system. A device that was refused because
  // the one below it had no server is tried again, as long as a round recovers any.
  let before = 0;
  while (recovered.length > before && failed.size > 0) {
    before = recovered.length;
    const refused = [...failed].flatMap(([id, { code, command }]) =>
      code === 'EBUSY' && command === 'open' ? [id] : [],
    );
    await inParallel(refused, AT_ONCE, recover);
  }
  return { recovered: recovered.toSorted((a, b) => a - b), failed: [...failed.values()] };
}

/** Resolves to false when the device has got its server from another command, which is waited for. */
async function recoverUnlessOthersDo(
  id: number,
  overrides: OrUndefined<Partial<AddOptions>>,
  waiting: WaitOptions,
): Promise<boolean> {
  for (const deadline = milliseconds() + OTHERS_MS; ; ) {
    try {
      await recoverDevice(id, overrides, waiting);
      return true;
    } catch (error) {
      if (!(error instanceof UblkError) || error.code !== 'EBUSY') throw error;
      if (await withControl((channel) => isServed(channel, id))) return false;
      // If that command fails, or is ended, the device is still to be recovered.
      if (!isTaken(error) || milliseconds() > deadline) throw error;
      waiting.onWaiting?.(`waiting for another command that recovers device ${id}`);
      await sleep(RETRY_MS, undefined, { signal: waiting.signal });
    }
  }
}

/** The same failure, which says which of the devices it is about. */
function about(device: number, error: UblkError): UblkError {
  if (error.device === device) return error;
  const { code, kind, command, hintText: hint } = error;
  return new UblkError(joinTexts(`device ${device}: `, error.text), {
    code,
    kind,
    device,
    cause: error,
    ...(command === undefined ? {} : { command }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The orphans in groups. A device that lies on another one is in a later group, because it cannot be opened before that one has a server. */
function orphansFromTheBottom(channel: ControlChannel): number[][] {
  return new UblkStack(channel).fromTheTop(orphans(channel)).toReversed();
}

function isServed(channel: ControlChannel, id: number): boolean {
  const info = getDevInfo(channel, id);
  return info.state === UBLK_S_DEV_LIVE && isServerAlive(serverOf(info.ublksrv_pid, readRecord(id)));
}

/** The devices of ours that can be recovered and have no server. */
function orphans(channel: ControlChannel): number[] {
  return findDevices().filter((id) => {
    const info = findDevInfo(channel, id);
    if (info === null || (info.flags & UBLK_F_USER_RECOVERY) === 0n || info.state === UBLK_S_DEV_DEAD) return false;
    const record = ownedBy(info, readRecord(id));
    return record !== null && !isServerAlive(serverOf(info.ublksrv_pid, record));
  });
}
