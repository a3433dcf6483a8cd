/** How a device ends that still has its server: nothing of it may be left, whoever ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { Caller } from './callers.ts';
import { bounded } from './command.ts';
import { logOf, lookAt, stateOf, until } from './device.ts';
import type { Misfortune } from './plan.ts';

const EXIT_BUSY = 6;

export function endDevice(device: DeviceReport, misfortune: Misfortune, caller: Caller): Promise<void> {
  if (misfortune === 'holder') return deleteHeld(device);
  if (misfortune === 'SIGTERM') return terminate(device);
  return caller.del(device.id);
}

/** Nobody uses the device any more, so SIGTERM stops and deletes it. */
async function terminate(device: DeviceReport): Promise<void> {
  process.kill(device.ublksrv_pid, 'SIGTERM');
  const isGone = async () => (await stateOf(device.id)) === 'gone';
  await until('after SIGTERM the unused device is gone', isGone, () => logOf(device));
}

/** `del` names the program that has the device open, and `list` shows it until that program has ended. */
async function deleteHeld(device: DeviceReport): Promise<void> {
  const holder = spawn('bash', ['-c', `exec sleep 600 < ${device.path}`], { stdio: 'ignore' });
  const ended = once(holder, 'exit');
  try {
    await until('the holder holds', () => commandOf(holder) === 'sleep');
    const { code, stderr } = await bounded(`del -n ${device.id}`);
    const name = `process ${holder.pid} (sleep)`;
    if (code !== EXIT_BUSY || !stderr.includes(name)) {
      throw new Error(`del of a device that ${name} has open: exit code ${code}: ${stderr}`);
    }
    const holders = (await lookAt(device.id))?.deleting?.holders ?? [];
    if (!holders.some(({ text }) => text.includes(name))) {
      throw new Error(`list names ${JSON.stringify(holders)} and not ${name} as the holder of a device that is going`);
    }
  } finally {
    holder.kill('SIGKILL');
    await ended;
  }
  await until('the device that was held is gone', async () => (await lookAt(device.id)) === undefined);
}

function commandOf({ pid }: ChildProcess): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}
