/** What happens to a device while a client works on it. Each leaves the device as a user finds it, before any remedy. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { Backing } from './backing.ts';
import { bounded, succeeds } from './command.ts';
import { logOf, lookAt, stateOf, until } from './device.ts';
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
  SIGTERM: async ({ device }) => {
    const { id, ublksrv_pid: pid } = device;
    process.kill(pid, 'SIGTERM');
    const said = `device ${id} is in use and is served on`;
    await until(
      'the server says that it serves on',
      () => logOf(device).includes(said),
      () => logOf(device),
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
  'dead NBD server': async ({ device: { id } }) => {
    execFileSync('pkill', ['-KILL', '-x', 'nbdkit']);
    const isBack = async () => {
      const connections = (await lookAt(id))?.connections ?? [];
      return connections.length > 0 && connections.every(({ state, reconnects }) => state === 'up' && reconnects > 0);
    };
    await until('the device is connected to the next server', isBack);
    return false;
  },
};
