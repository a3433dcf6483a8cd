/** The target nbd under fio, which verifies its data, while the NBD server is killed and started again. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { ConnectionReport } from '../../src/device/report/report.ts';
import { type Program, startServer } from '../targets/nbd/servers.ts';
import { sealedMemory } from '../../tools/guest/sealed-memory.ts';
import { describeDevice, leavesNothingBehind, sh, skip, withDevice } from './guest.ts';
import { fioUntilStopped } from './support/background.ts';
import { until } from './support/devices.ts';
import { requestsOf } from './support/kills.ts';
import { LONG } from './support/long.ts';

const FOLDER = '/dev/shm/nbd-kills';
const DISK = `${FOLDER}/disk`;
/** A socket, or the file that a server on TCP makes when it listens. */
const LISTENS = `${FOLDER}/listens`;
const PORT = 10_813;

const SOCKETS = {
  unix: { uri: `nbd+unix:///?socket=${LISTENS}`, listen: ['-U', LISTENS] },
  TCP: { uri: `nbd://127.0.0.1:${PORT}/`, listen: ['-i', '127.0.0.1', '-p', String(PORT), '-P', LISTENS] },
} as const;

/** The short form has three in all. */
const KILLS = LONG ? 10 : 1;
/** 16 requests of 64 KiB, and what fio rounds up. */
const MEMORY_BYTES = 2 << 20;

const CASES = LONG
  ? (['copy', 'auto_zc', 'shared memory'] as const).flatMap((path) => [[path, 'unix'] as const, [path, 'TCP'] as const])
  : ([
      ['auto_zc', 'TCP'],
      ['shared memory', 'unix'],
    ] as const);

describe('nbd under fio, with a server that is killed', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER}`);

  for (const [way, socket] of CASES) {
    test(`${way}, ${socket}, ${KILLS} kills: no error, and no acknowledged write is lost`, async () => {
      sh(`rm -f ${DISK} && truncate -s 32M ${DISK}`);
      const { uri, listen } = SOCKETS[socket];
      const start = (): Promise<Program> => startServer(['nbdkit', '-f', ...listen, 'file', DISK], LISTENS);
      const memory = await sealedMemory(MEMORY_BYTES);
      const shared = { features: ['SHMEM_ZC'], buffers: [{ path: memory.path, readOnly: false }] } as const;
      const paths = way === 'shared memory' ? shared : { dataPath: way };
      let server = await start();
      try {
        await withDevice({ target: 'nbd', targetOptions: { uri }, ...paths }, async ({ id, path }) => {
          sh(`test -b ${path}`);
          const fio = fioUntilStopped(path, `${MIXED} --mem=mmapshared:${memory.path}`);
          await flows(id);
          for (let kill = 0; kill < KILLS; kill++) {
            await sleep(300 + Math.random() * 700);
            await server.kill();
            await sleep(300);
            server = await start();
            await until('the connections are back', async () => (await connectionsOf(id)).every(isBackFrom(kill)), 60);
            await flows(id);
          }
          await fio.stop();
          const { io } = await describeDevice(id);
          assert.equal(io?.errors, 0);
          assert.equal(io.matched.requests > 20, way === 'shared memory');
          sh(`cmp ${path} ${DISK}`);
        });
      } finally {
        await server.kill();
        memory.release();
      }
    });
  }
});

/** The last sizes that are named prevail. */
const MIXED = '--bsrange=512-64k --blockalign=512 --size=2M';

/** Waits until a good number of further requests has been answered. */
async function flows(id: number): Promise<void> {
  const before = await requestsOf(id);
  await until('requests are answered', async () => (await requestsOf(id)) > before + 20, 60);
}

async function connectionsOf(id: number): Promise<readonly ConnectionReport[]> {
  return (await describeDevice(id)).connections ?? [];
}

/** Whether a connection was made again after each of so many outages, and one more. */
function isBackFrom(outages: number): (connection: ConnectionReport) => boolean {
  return ({ state, reconnects }) => state === 'up' && reconnects > outages;
}
