/** `update_size` of nbd devices: the device's own server asks the NBD server, from its own namespaces. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { startServer } from '../targets/nbd/servers.ts';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, shFails, skip, verify } from './guest.ts';
import { fioUntilStopped, inBackground } from './support/background.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { openFiles, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const FOLDER = '/dev/shm/nbd-resize';
const SOCKET = `${FOLDER}/socket`;
const DISK = `${FOLDER}/disk`;
const URI = `nbd+unix:///?socket=${SOCKET}`;
const PID = `${FOLDER}/pid`;
const SERVER = 'resize';
const ID = 7;
const PATH = `/dev/ublkb${ID}`;
const MiB = 1 << 20;

describe('update_size of an nbd device', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER}/private`);
  writeFileSync(`${FOLDER}/keys`, `alice:${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });

  afterEach(() => run(`ublkts del -a; kill $(cat ${PID}); rm ${PID}`));

  test('asks the server at the address in the network namespace of the device', { skip: onlyLong }, async () => {
    sh(`truncate -s 4M ${DISK}`);
    // The same address leads to this one from here.
    const other = await startServer(['nbdkit', '-f', '-i', '127.0.0.1', '-P', SOCKET, 'memory', '1M'], SOCKET);
    try {
      const serve = `ip link set lo up; nbdkit -i 127.0.0.1 -P ${PID} file ${DISK}; until [ -s ${PID} ]; do sleep 0.1; done`;
      sh(`unshare --net bash -ec '${serve}; ublkts add -t nbd -n ${ID} nbd://127.0.0.1/'`);
      await grows();
    } finally {
      await other.kill();
    }
  });

  test('asks at the socket, and with the keys, that only the mount namespace of the device has', {
    skip: onlyLong,
  }, async () => {
    sh(`truncate -s 4M ${DISK}`);
    const hidden = `${FOLDER}/private`;
    const mount = `mount -t tmpfs none ${hidden}; cp ${FOLDER}/keys ${hidden}`;
    const serve = `nbdkit -U ${hidden}/socket -P ${PID} --tls=require --tls-psk=${hidden}/keys file ${DISK}`;
    const uri = `nbds+unix://alice@/?socket=${hidden}/socket&tls-psk-file=${hidden}/keys`;
    const ready = `until [ -s ${PID} ]; do sleep 0.1; done`;
    sh(`unshare --mount bash -ec '${mount}; ${serve}; ${ready}; ublkts add -t nbd -n ${ID} "${uri}"'`);
    assert.ok(!existsSync(`${hidden}/socket`), 'it is not seen from here');
    await grows();
  });

  test('an NBD server that greets nobody new: the wait is bounded, it is said, and no I/O waits', async () => {
    const { pid } = await library.startServer({ name: SERVER });
    const nbdkit = await startServer(['nbdkit', '-f', '-U', SOCKET, 'memory', '8M'], SOCKET);
    const silent = createServer();
    try {
      const request = { queues: 1, server: SERVER };
      const { id, path } = await library.addDevice({ ...request, target: 'nbd', targetOptions: { uri: URI } });
      const other = await library.addDevice({ ...request, target: 'ram', targetOptions: { size: '8M' } });
      for (const one of [path, other.path]) await blockDevice(one);
      const held = openFiles(pid).length;
      // The connection of the device stays with nbdkit.
      renameSync(SOCKET, `${SOCKET}.old`);
      await once(silent.listen(SOCKET), 'listening');
      const fio = fioUntilStopped([path, other.path]);
      const waits: string[] = [];
      const began = performance.now();
      await tidied(
        () =>
          assert.rejects(
            library.updateSize(id, 4 * MiB, { onWaiting: (what) => waits.push(what) }),
            /^UblkError: cannot use nbd\+unix:.* does not answer within 10 s/,
          ),
        () => fio.stop(),
      );
      const seconds = (performance.now() - began) / 1000;
      assert.ok(seconds > 5 && seconds < 60, `${seconds} s`);
      assert.match(
        waits[0] ?? '',
        new RegExp(`^waiting for the server \\(pid ${pid}\\), which asks nbd\\+unix:.* for its size$`),
      );
      await until('nothing of the question is left', () => openFiles(pid).length <= held);
      const { connections } = await describeDevice(id);
      assert.deepEqual(
        connections?.map(({ state, reconnects }) => [state, reconnects]),
        [['up', 0]],
      );
      // Ctrl-C gives it up.
      shFails(
        `timeout --signal=INT --kill-after=4 6 ublkts update_size -n ${id} -s 4M || { [ $? = 124 ] && exit 1; exit 0; }`,
        /interrupted by SIGINT/,
      );
      await until('the server has given it up too', () => openFiles(pid).length <= held);
      // `del` does not wait for a question either.
      const asking = inBackground(`! ublkts update_size -n ${id} -s 4M 2> ${FOLDER}/said`);
      await until('it asks', () => openFiles(pid).length > held);
      await library.deleteDevice(id, { timeoutMs: 4000 });
      await asking.succeeded;
      assert.match(readFileSync(`${FOLDER}/said`, 'utf8'), /left its server before nbd\+unix:.* said how large it is/);
    } finally {
      silent.close();
      await nbdkit.kill();
      rmSync(`${SOCKET}.old`, { force: true });
      await library.deleteAllDevices();
      process.kill(pid, 'SIGTERM');
      await until('the server has ended', () => !existsSync(`/proc/${pid}`));
    }
  });

  test('without a server of the device, says what gives it one', { skip: onlyLong }, async () => {
    const nbdkit = await startServer(['nbdkit', '-f', '-U', SOCKET, 'memory', '8M'], SOCKET);
    try {
      sh(`ublkts add -t nbd -n ${ID} -r 1 '${URI}'`);
      const { ublksrv_pid: pid } = await describeDevice(ID);
      const socket = `/run/ublkts/${ID}.sock`;
      sh(`mv ${socket} ${socket}.away`);
      shFails(
        `ublkts update_size -n ${ID} -s 4M`,
        new RegExp(`the server of device ${ID} \\(pid ${pid}\\) has no socket`),
      );
      sh(`mv ${socket}.away ${socket}`);
      process.kill(pid, 'SIGSTOP');
      shFails(
        `ublkts update_size -n ${ID} -s 4M`,
        new RegExp(`pid ${pid}\\) is stopped \\(state T\\).*kill -CONT ${pid}`, 's'),
      );
      process.kill(pid, 'SIGCONT');
      process.kill(pid, 'SIGKILL');
      await until('the device waits', async () => (await describeDevice(ID)).state === 'QUIESCED');
      const none = new RegExp(
        `device ${ID} has no server to ask nbd\\+unix:.* for its size.*ublkts recover -n ${ID}`,
        's',
      );
      shFails(`ublkts update_size -n ${ID} -s 4M`, none);
      sh(`ublkts recover -n ${ID} && ublkts update_size -n ${ID} -s 4M`);
      assert.equal(sh(`blockdev --getsize64 ${PATH}`), String(4 * MiB));
      sh(`ublkts stop -n ${ID}`);
      shFails(
        `ublkts update_size -n ${ID} -s 8M`,
        new RegExp(`device ${ID} is stopped, and has no size to change.*ublkts del -n ${ID}`, 's'),
      );
    } finally {
      await nbdkit.kill();
    }
  });
});

/** The device has 4 MiB of DISK, which grows to 8 MiB. */
async function grows(): Promise<void> {
  await blockDevice(PATH);
  shFails(`ublkts update_size -n ${ID} -s 8M`, /has 4194304 bytes, less than 8388608.*larger on its server first/s);
  sh(`truncate -s 8M ${DISK} && ublkts update_size -n ${ID} -s 8M`);
  assert.equal(sh(`blockdev --getsize64 ${PATH}`), String(8 * MiB));
  verify(PATH, '--size=1M --offset=6M');
  sh(`cmp ${PATH} ${DISK}`);
  sh(`ublkts del -n ${ID}`);
}
