/** `stop`: the block device goes and the server closes the target; the ublk device stays until `del`. */
import { describeHolders } from '../../block/holder.ts';
import { findOpeners } from '../../block/openers.ts';
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { findDevInfo, getDevInfo, stopDev, tryStopDev } from '../../control/commands.ts';
import { diskNumbers } from '../../control/sysfs.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { optional, SWITCH } from '../../kinds.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_LIVE, ublkStateName } from '../../native/uapi/ublk-device.ts';
import { serverOf } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { UblkStack } from '../../targets/stack.ts';
import { ClosingTarget } from './closing-target.ts';
import { claimantsOf, refuseClaims } from './holders/refuse.ts';
import { refuseUnseen } from './holders/unseen.ts';
import { patiently } from '../patiently.ts';

export interface StopOptions extends WaitOptions {
  /** Refuse (EBUSY) when anyone has the block device open (Linux 7.0). */
  readonly safe?: boolean | undefined;
  /** Stop it even if a mount, swap or a device made of it would lose data. */
  readonly force?: boolean | undefined;
}

/**
 * Resolves when the device is DEAD, which has been read back, and its server has closed the target. Throws a UblkError of
 * kind `busy` when someone would lose data by it, and when the kernel still waits for requests, or the server still has
 * the target open, after `timeoutMs` (default 30 s for the requests, and 40 s for the target).
 */
export async function stopDevice(id: number, options: StopOptions = {}): Promise<void> {
  requireDeviceId(id);
  requireWaiting(options, { safe: optional(SWITCH), force: optional(SWITCH) });
  await withControl(async (channel) => {
    const server = serverOf(getDevInfo(channel, id).ublksrv_pid, readRecord(id));
    const target = new ClosingTarget(id, () => findDevInfo(channel, id)?.state !== UBLK_S_DEV_DEAD);
    try {
      await stop(channel, id, options);
      const unstored = await target.untilClosed(server, { done: 'stopped', command: 'STOP_DEV' }, options);
      if (unstored !== null) throw unstored;
    } finally {
      target.release();
    }
  });
}

/** The same without a look at the target. */
export async function stopDisk(id: number, options: StopOptions): Promise<void> {
  await withControl((channel) => stop(channel, id, options));
}

async function stop(channel: ControlChannel, id: number, options: StopOptions): Promise<void> {
  const { safe = false, force = false } = options;
  const { ublksrv_pid: serverPid, state: before } = getDevInfo(channel, id);
  if (!force) refuseClaims(id, claimantsOf(id, diskNumbers(id), new UblkStack(channel)));
  const command = safe ? 'TRY_STOP_DEV' : 'STOP_DEV';
  const stuck = { command, device: id, serverPid, after: 'the device stops then' };
  await patiently(stuck, options, async (apart) => {
    if (safe) return tryStop(id, apart);
    if (!force && before === UBLK_S_DEV_LIVE) await refuseUnseen(id, apart);
    await stopDev(id, apart);
  });
  const { state } = getDevInfo(channel, id);
  if (state !== UBLK_S_DEV_DEAD) throw notStopped(id, state);
}

/** EBUSY with the names of those who have it open. */
async function tryStop(id: number, options: WaitOptions): Promise<void> {
  try {
    await tryStopDev(id, options);
  } catch (error) {
    if (!(error instanceof UblkError) || error.code !== 'EBUSY') throw error;
    const openers = findOpeners(diskNumbers(id).devices, null);
    if (openers.length === 0) throw error;
    const { message, code, kind, command, device, hint } = error;
    throw new UblkError(`${message}: it is ${describeHolders(openers)}`, {
      code,
      kind,
      ...(command === undefined ? {} : { command }),
      ...(device === undefined ? {} : { device }),
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

function notStopped(device: number, state: number): UblkError {
  return new UblkError(`device ${device} is ${ublkStateName(state)} after STOP_DEV`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    command: 'STOP_DEV',
    hint: 'another process may have started it again: stop it again',
  });
}
