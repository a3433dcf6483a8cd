/** `del`: stops the device, waits for its server to leave, removes it and everything it left in /run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlChannel, ControlChannel as Channel } from '../control/channel.ts';
import { type DevInfo, delDev, getDevInfo, stopDev } from '../control/commands.ts';
import { findDevices } from '../control/discovery.ts';
import { UblkError } from '../errors.ts';
import { UBLK_S_DEV_DEAD } from '../native/uapi/ublk-device.ts';
import { isServerAlive, serverOf } from '../record/server-identity.ts';
import { forgetDevice, readRecord } from '../record/store.ts';

const SERVER_LEAVES_MS = 10_000;

export async function deleteDevice(id: number): Promise<void> {
  const channel = new Channel();
  try {
    await remove(channel, id);
  } finally {
    channel.close();
  }
}

export interface Deletions {
  readonly deleted: number[];
  readonly failed: UblkError[];
}

export async function deleteAllDevices(): Promise<Deletions> {
  const outcome: Deletions = { deleted: [], failed: [] };
  for (const id of findDevices()) {
    try {
      await deleteDevice(id);
      outcome.deleted.push(id);
    } catch (error) {
      if (!(error instanceof UblkError)) throw error;
      if (error.kind !== 'no-device') outcome.failed.push(error);
    }
  }
  return outcome;
}

async function remove(channel: ControlChannel, id: number): Promise<void> {
  const info = getDevInfo(channel, id);
  if (info.state !== UBLK_S_DEV_DEAD) stopDev(channel, id);
  await serverLeft(info);
  delDev(channel, id);
  forgetDevice(id);
}

/**
 * The kernel's DEL_DEV waits for the server to close the char device, but without a word. A server that stays is named.
 */
async function serverLeft(info: DevInfo): Promise<void> {
  const deadline = performance.now() + SERVER_LEAVES_MS;
  const server = serverOf(info.ublksrv_pid, readRecord(info.dev_id));
  while (isServerAlive(server)) {
    if (performance.now() > deadline) {
      throw new UblkError(`the server of device ${info.dev_id} (pid ${info.ublksrv_pid}) does not leave`, {
        code: 'TIMEOUT',
        kind: 'busy',
        device: info.dev_id,
        command: 'DEL_DEV',
        hint: `see what it does, or \`kill -9 ${info.ublksrv_pid}\` and delete again`,
      });
    }
    await sleep(5);
  }
}
