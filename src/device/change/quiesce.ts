/** `quiesce`: takes the server away from a live device, so that another can recover it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { getDevInfo, quiesceDev } from '../../control/commands.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_LIVE } from '../../native/uapi/ublk-device.ts';
import { askServerToLeave } from './quiesce-batch.ts';
import { explain } from '../stuck.ts';

/** The kernel's command and the server's leaving after it. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** How long a server has to leave before it is told again. */
const AGAIN_MS = 500;
/** The time that the kernel may take beyond the time that it is given. */
const SLACK_MS = 2_000;

/**
 * Resolves when the device is without its server: QUIESCED, or FAIL_IO if it was made so. The state has been read back:
 * QUIESCE_DEV itself only takes commands away that are idle, so it is repeated until the server has left. `timeoutMs`
 * (default 10 s) bounds the whole. A server of ours in batch mode is asked to leave instead (quiesce-batch.ts). Throws
 * a UblkError of kind `busy` when the device is still LIVE then.
 */
export async function quiesceDevice(id: number, options: WaitOptions = {}): Promise<void> {
  requireDeviceId(id);
  requireWaiting(options);
  const { signal, onWaiting, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  await withControl(async (channel) => {
    const deadline = milliseconds() + timeoutMs;
    const info = getDevInfo(channel, id);
    const { ublksrv_pid: serverPid } = info;
    const asked = await askServerToLeave(info);
    for (;;) {
      const left = Math.max(1, Math.ceil(deadline - milliseconds()));
      const late = (): UblkError => stillLive(id, serverPid, timeoutMs);
      try {
        if (!asked) await quiesceDev(id, left, { signal, onWaiting, timeoutMs: left + SLACK_MS, late });
      } catch (error) {
        if (error instanceof UblkError && error.code === 'EBUSY') throw late();
        throw error;
      }
      const state = await untilServerLeft(channel, id, Math.min(deadline, milliseconds() + AGAIN_MS), options);
      if (state === UBLK_S_DEV_DEAD) throw wasStopped(id);
      if (state !== UBLK_S_DEV_LIVE) return;
      if (milliseconds() >= deadline) throw late();
    }
  });
}

/** The state when the device is not LIVE any more, or at the deadline. */
async function untilServerLeft(
  channel: ControlChannel,
  id: number,
  deadline: number,
  { signal, onWaiting }: WaitOptions,
): Promise<number> {
  for (let pause = 1; ; pause = Math.min(pause * 1.5, 50)) {
    const { state, ublksrv_pid: pid } = getDevInfo(channel, id);
    if (state !== UBLK_S_DEV_LIVE || milliseconds() >= deadline) return state;
    if (pause > 10) onWaiting?.(`waiting for the server (pid ${pid}) to leave`);
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

function stillLive(device: number, serverPid: number, timeoutMs: number): UblkError {
  const { reason, hint } = explain(device, serverPid);
  return new UblkError(`device ${device} is still LIVE after ${timeoutMs / 1000} s: the kernel waits for ${reason}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    command: 'QUIESCE_DEV',
    hint: `${hint}. The device may be without a server then: \`ublkts recover -n ${device}\` gives it one`,
  });
}

function wasStopped(device: number): UblkError {
  return new UblkError(`device ${device} was stopped while it was being quiesced`, {
    code: 'ENODEV',
    device,
    command: 'QUIESCE_DEV',
  });
}
