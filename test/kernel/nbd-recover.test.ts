/** `recover` of nbd devices: from the record, with other options, and where a server, an address or a path is another one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { describeDevice, leavesNothingBehind, sh, shFails, skip, verify } from './guest.ts';
import { sealedMemory } from '../../tools/guest/sealed-memory.ts';
import { fioUntilStopped } from './support/background.ts';
import { bufferOf, killServer, until, withServed } from './support/devices.ts';
import { KILLS, POLICIES, surviveKills } from './support/kills.ts';
import { library } from './support/library.ts';
import { blankDisk, DISK, FOLDER, serving, SOCKET, UNIX, URI } from './support/nbd-disk.ts';
import { startServer } from '../targets/nbd/servers.ts';
import { LONG, onlyLong } from './support/long.ts';

describe('recover of nbd', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  blankDisk();

  test('recover connects again from the record, with no error for the client', async () => {
    blankDisk();
    await serving([...UNIX, 'file', DISK], async () => {
      await surviveKills({ target: 'nbd', targetOptions: { uri: URI } }, POLICIES['reissue (-i)'], KILLS);
    });
  });

  test('with shared memory, recover connects again, and what lies in the buffer matches again', {
    skip: onlyLong,
  }, async () => {
    blankDisk();
    const memory = await sealedMemory(2 << 20);
    const features = ['SHMEM_ZC', 'USER_RECOVERY', 'USER_RECOVERY_REISSUE'] as const;
    const device = { target: 'nbd', targetOptions: { uri: URI }, features };
    await serving([...UNIX, 'file', DISK], () =>
      withServed({ ...device, buffers: [{ path: memory.path, readOnly: false }] }, async ({ id, path }) => {
        const fio = fioUntilStopped(path, `--mem=mmapshared:${memory.path}`);
        for (let kill = 0; kill <= KILLS; kill++) {
          // A new server counts from 0.
          await until('requests match', async () => (await bufferOf(id, 0)).matched.requests > 50, 60);
          if (kill === KILLS) break;
          await killServer(id);
          await library.recoverDevice(id, {});
        }
        await fio.stop();
        assert.equal((await describeDevice(id)).io?.errors, 0);
        sh(`cmp ${path} ${DISK}`);
      }),
    );
    memory.release();
  });

  test('recover takes what is named now, and keeps the other options', { skip: onlyLong }, async () => {
    blankDisk();
    const limits = { reconnect_delay: '5', request_timeout: '7' };
    const program = `nbdkit file ${DISK}`;
    await serving([...UNIX, 'file', DISK], async () => {
      sh(`ublkts add -t nbd -n 5 -q 1 -i 1 --reconnect_delay 5 --request_timeout 7 '${URI}'`);
      try {
        for (const [named, options] of [
          ['--reconnect_delay 8', { ...limits, reconnect_delay: '8', uri: URI }],
          [`-- ${program}`, { ...limits, reconnect_delay: '8', program, directory: '/tmp' }],
          ['--directory /', { ...limits, reconnect_delay: '8', program, directory: '/' }],
          [`'${URI}' --reconnect_delay 5`, { ...limits, uri: URI }],
        ] as const) {
          await killServer(5);
          sh(`cd /tmp; ublkts recover -n 5 ${named}`);
          assert.deepEqual((await describeDevice(5)).target?.options, options);
          verify('/dev/ublkb5', '--size=1M');
        }
      } finally {
        sh('ublkts del -n 5');
      }
    });
  });

  test('recover does not take the same address of another network for the same server', {
    skip: onlyLong,
  }, async () => {
    const [inside, outside] = [`${FOLDER}/inside`, `${FOLDER}/outside`];
    sh(`printf inside > ${inside}; printf outside > ${outside}; truncate -s 8M ${inside} ${outside}`);
    const listen = '-i 127.0.0.1 -p 10923';
    const uri = 'nbd://127.0.0.1:10923';
    sh('ip netns add other && ip netns exec other ip link set lo up');
    sh(`ip netns exec other nbdkit -P ${FOLDER}/inside.pid ${listen} file ${inside}`);
    sh(`nbdkit -P ${FOLDER}/outside.pid ${listen} file ${outside}`);
    try {
      sh(`ip netns exec other ublkts add -t nbd -n 5 -q 1 -i 1 --reconnect_delay 5 ${uri}`);
      assert.equal(firstWord('/dev/ublkb5'), 'inside');
      await killServer(5);
      const refusal =
        /^ublkts recover: device 5 was made in another network namespace .*: its address may lead to another server here/;
      shFails('ublkts recover -n 5', refusal);
      shFails('ublkts recover -a', refusal);
      shFails('ublkts recover -n 5 --reconnect_delay 6', refusal);
      sh('ip netns exec other ublkts recover -n 5');
      assert.equal(firstWord('/dev/ublkb5'), 'inside');
      await killServer(5);
      sh(`ublkts recover -n 5 ${uri}`);
      sh('echo 3 > /proc/sys/vm/drop_caches');
      assert.equal(firstWord('/dev/ublkb5'), 'outside');
      await killServer(5);
      sh('ublkts recover -n 5');
    } finally {
      sh(`ublkts del -n 5; kill $(cat ${FOLDER}/inside.pid ${FOLDER}/outside.pid); ip netns del other`);
    }
  });

  test('recover does not take the same path of another mount namespace for the same server or file', {
    skip: onlyLong,
  }, async () => {
    const place = `${FOLDER}/place`;
    const uri = `nbd+unix:///?socket=${place}/socket`;
    const fill = (word: string): string =>
      `printf ${word} > ${place}/disk; truncate -s 8M ${place}/disk; nbdkit -U ${place}/socket -P ${FOLDER}/${word}.pid file ${place}/disk; until [ -s ${FOLDER}/${word}.pid ]; do sleep 0.1; done`;
    const devices = {
      5: `-t nbd -q 1 -i 1 '${uri}'`,
      6: `-t loop -q 1 -i 1 ${place}/disk`,
      7: `-t nbd -q 1 -i 1 -- nbdkit file ${place}/disk`,
    };
    const add = Object.entries(devices).map(([id, words]) => `ublkts add -n ${id} ${words}`);
    sh(`mkdir ${place}; unshare --mount bash -ec "mount -t tmpfs none ${place}; ${fill('inside')}; ${add.join('; ')}"`);
    try {
      sh(fill('outside'));
      for (const id of Object.keys(devices).map(Number)) {
        await killServer(id);
        shFails(`ublkts recover -n ${id}`, new RegExp(`another mount namespace .*: ${place}(/disk)? is not here what`));
      }
      const inside = `nsenter --mount=/proc/$(cat ${FOLDER}/inside.pid)/ns/mnt`;
      sh(`${inside} ublkts recover -a`);
      for (const id of Object.keys(devices)) assert.equal(firstWord(`/dev/ublkb${id}`), 'inside');
      await killServer(5);
      sh(`ublkts recover -n 5 '${uri}'; echo 3 > /proc/sys/vm/drop_caches`);
      assert.equal(firstWord('/dev/ublkb5'), 'outside');
    } finally {
      sh(`for id in 5 6 7; do ublkts del -n $id; done; kill $(cat ${FOLDER}/inside.pid ${FOLDER}/outside.pid)`);
    }
  });

  test('recover refuses an export that has become smaller than the device, of a URI and of a program', async () => {
    const file = `${FOLDER}/shrinks`;
    const device = { target: 'nbd', features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] as const, queues: 1 };
    const program = { program: `nbdkit file ${file}` };
    for (const targetOptions of LONG ? [{ uri: URI }, program] : [program]) {
      sh(`truncate -s 8M ${file}`);
      const serve = () => (targetOptions === program ? null : startServer([...UNIX, 'file', file], SOCKET));
      let server = await serve();
      const { id, ublksrv_pid: pid } = await library.addDevice({ ...ADD_DEFAULTS, ...device, targetOptions });
      try {
        process.kill(pid, 'SIGKILL');
        await until('it has no server', async () => (await describeDevice(id)).state === 'QUIESCED');
        await server?.kill();
        sh(`truncate -s 1M ${file}`);
        server = await serve();
        const refusal = /has 1048576 bytes: the device has 8388608/;
        shFails(`ublkts recover -n ${id}`, refusal);
        shFails('ublkts recover -a', refusal);
        await server?.kill();
        sh(`truncate -s 8M ${file}`);
        server = await serve();
        sh(`ublkts recover -n ${id}`);
      } finally {
        await library.deleteDevice(id);
        await server?.kill();
      }
    }
  });

  test('a device that was recovered on a server that offers more goes back to the one that it was made on', {
    skip: onlyLong,
  }, async () => {
    blankDisk();
    const file = ['file', DISK];
    const less = [...UNIX, '--filter=nozero', ...file];
    const device = { target: 'nbd', features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] as const, queues: 1 };
    let id = -1;
    await serving(less, async () => {
      const targetOptions = { uri: URI, reconnect_delay: '20' };
      ({ id } = await library.addDevice({ ...ADD_DEFAULTS, ...device, targetOptions }));
      await killServer(id);
    });
    try {
      await serving([...UNIX, ...file], () => void sh(`ublkts recover -n ${id}`));
      await serving(less, () => verify(`/dev/ublkb${id}`, '--size=1M'));
    } finally {
      sh(`ublkts del -n ${id}`);
    }
  });
});

function firstWord(path: string): string {
  return sh(`dd if=${path} bs=512 count=1 iflag=direct status=none | tr -d "\\0"`).trim();
}
