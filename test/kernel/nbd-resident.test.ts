/** What a resident server keeps of NBD servers when its devices are refused or gone: nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Program, startServer } from '../targets/nbd/servers.ts';
import { blockDevice, describeDevice, leavesNothingBehind, sh, shFails, skip } from './guest.ts';
import { inBackground } from './support/background.ts';
import { endServer, openFiles, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const NAME = 'nbd';
const FOLDER = '/tmp/nbd-resident';
const SOCKET = `${FOLDER}/socket`;
const RECOVERY = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] as const;
const URI = `nbd+unix:///?socket=${SOCKET}`;

describe('a resident server with devices of NBD servers', { skip, timeout: 300_000 }, () => {
  let pid = 0;

  before(async () => {
    sh(`mkdir -p ${FOLDER}`);
    ({ pid } = await library.startServer({ name: NAME }));
  });
  after(async () => {
    await endServer(NAME, pid);
    sh(`rm -rf ${FOLDER}`);
  });
  leavesNothingBehind();

  test('has no connection to a server whose export it has refused', async () => {
    await withNbdkit('memory 0', async () => {
      shFails(`ublkts add --server=${NAME} -t nbd '${URI}'`, /it has 0 bytes/);
      const held = openFiles(pid).length;
      for (let round = 0; round < 3; round++) shFails(`ublkts add --server=${NAME} -t nbd '${URI}'`, /it has 0 bytes/);
      await until('it has no more descriptors than before', () => openFiles(pid).length === held);
    });
  });

  test('recovers a device that it has refused, once the export is as large as the device again', {
    skip: onlyLong,
  }, async () => {
    const file = `${FOLDER}/image`;
    sh(`truncate -s 4M ${file}`);
    const dying = await library.startServer({ name: 'dying' });
    let id = -1;
    await withNbdkit(`file ${file}`, async () => {
      const request = { target: 'nbd', targetOptions: { uri: URI }, queues: 1, features: RECOVERY };
      const device = await library.addDevice({ ...request, server: 'dying' });
      ({ id } = device);
      await blockDevice(device.path);
      sh(`printf kept | dd of=${device.path} bs=4k conv=sync oflag=direct status=none`);
      process.kill(dying.pid, 'SIGKILL');
      await until('it is quiesced', async () => (await describeDevice(id)).state === 'QUIESCED');
    });
    sh(`truncate -s 2M ${file}`);
    await withNbdkit(`file ${file}`, async () => {
      for (let round = 0; round < 2; round++)
        shFails(`ublkts recover -n ${id} --server=${NAME}`, /has 2097152 bytes: the device has 4194304/);
      assert.equal((await describeDevice(id)).state, 'QUIESCED');
    });
    sh(`truncate -s 4M ${file}`);
    await withNbdkit(`file ${file}`, async () => {
      sh(`ublkts recover -n ${id} --server=${NAME}`);
      assert.equal(sh(`head -c 4 /dev/ublkb${id}`), 'kept');
      await library.deleteDevice(id);
    });
    sh('ublkts doctor --fix');
  });

  test('has no connection to a silent server when its device is deleted', async () => {
    await withNbdkit('memory 4M', async (nbdkit) => {
      const limits = { reconnect_delay: '2', request_timeout: '1' };
      const request = { target: 'nbd', targetOptions: { uri: URI, ...limits }, queues: 1, server: NAME };
      const first = await library.addDevice(request);
      await blockDevice(first.path);
      await library.deleteDevice(first.id);
      const held = openFiles(pid).length;
      const { id, path } = await library.addDevice(request);
      await blockDevice(path);
      process.kill(nbdkit.pid, 'SIGSTOP');
      try {
        const read = inBackground(`! dd if=${path} of=/dev/null bs=4k count=1 skip=100 iflag=direct status=none`);
        await read.succeeded;
        assert.equal((await describeDevice(id)).connections?.[0]?.state, 'failing');
        await library.deleteDevice(id);
        await until('it has no more descriptors than before', () => openFiles(pid).length <= held);
      } finally {
        process.kill(nbdkit.pid, 'SIGCONT');
      }
    });
  });
});

async function withNbdkit(plugin: string, use: (nbdkit: Program) => Promise<void>): Promise<void> {
  const nbdkit = await startServer(['nbdkit', '-f', '-U', SOCKET, ...plugin.split(' ')], SOCKET);
  try {
    await use(nbdkit);
  } finally {
    await nbdkit.kill();
  }
}
