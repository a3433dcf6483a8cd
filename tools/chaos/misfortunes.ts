/** What happens to a device while a client works on it. Each leaves the device as a user finds it, before any remedy. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { Backing } from './backing.ts';
import { bounded, succeeds } from './command.ts';
import { logOf, stateOf, until } from './device.ts';
import { fillMemory } from './memory.ts';
import type { Misfortune, Round } from './plan.ts';

export interface Scene {
  readonly round: Round;
  readonly device: DeviceReport;
  readonly backing: Backing;
}

/** Resolves with whether the device has lost its server. */
export function befall(scene: Scene): Promise<boolean> {
  return HAPPENINGS[scene.round.misfortune](scene);
}

const HAPPENINGS: Readonly<Record<Misfortune, (scene: Scene) => Promise<boolean>>> = {
  'kill -9': async ({ device: { id, ublksrv_pid: pid } }) => {
    process.kill(pid, 'SIGKILL');
    await until('the device has lost its server', async () => (await stateOf(id)) !== 'LIVE');
    return true;
  },
  // The client has the device open, so its server serves on.
  SIGTERM: async ({ device: { id, ublksrv_pid: pid } }) => {
    process.kill(pid, 'SIGTERM');
    const said = `SIGTERM: device ${id} is in use and is served on`;
    await until(
      'the server says that it serves on',
      () => logOf(id).includes(said),
      () => logOf(id),
    );
    const state = await stateOf(id);
    if (state !== 'LIVE') throw new Error(`the server said that it serves on, and the device is ${state}`);
    return false;
  },
  SIGSTOP: async ({ device: { ublksrv_pid: pid } }) => {
    process.kill(pid, 'SIGSTOP');
    try {
      await Promise.all([sleep(2000), succeeds('list --json')]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    return false;
  },
  quiesce: async ({ device, round }) => {
    const { code, stderr } = await bounded(`quiesce -n ${device.id}`);
    const state = await stateOf(device.id);
    if (round.policy === '') {
      if (code === 0) throw new Error('quiesce succeeded on a device without recovery');
      return false;
    }
    if (code !== 0) throw new Error(`quiesce failed: ${stderr}`);
    const wanted = round.policy === '-r 1 -e 1' ? ['QUIESCED', 'FAIL_IO'] : ['QUIESCED'];
    if (!wanted.includes(state)) throw new Error(`quiesce said it was done, and the device is ${state}`);
    return true;
  },
  'full disk': async ({ backing }) => {
    await until('the disk is full', backing.isFull);
    await sleep(500);
    backing.mend();
    return false;
  },
  'backing error': async ({ backing }) => {
    backing.fault();
    await sleep(500);
    backing.mend();
    return false;
  },
  'memory pressure': async () => {
    await fillMemory(2000);
    return false;
  },
  // It happens when the device is deleted.
  holder: async () => false,
};
