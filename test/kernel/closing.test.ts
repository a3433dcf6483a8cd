/** A target that takes its time to close: whoever has stopped or deleted the device may use its files at once. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlChannel } from '../../src/control/channel.ts';
import { getDevInfo } from '../../src/control/commands.ts';
import { blockDevice, describeDevice, leavesNothingBehind, sh, shFails, skip } from './guest.ts';
import { endServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const NAME = 'closing';
const DIRECTORY = '/tmp/closing';
/** Long enough for the driver to stop the device on a busy machine. */
const GIVEN_UP_MS = 5_000;
const CLOSED = `${DIRECTORY}/closed`;

describe('a target that takes its time to close', { skip, timeout: 600_000 }, () => {
  let serverPid = 0;

  before(async () => {
    sh(`mkdir -p ${DIRECTORY} && cp test/fixtures/closes-late.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`);
    serverPid = (await library.startServer({ name: NAME })).pid;
  });
  after(async () => {
    await endServer(NAME, serverPid);
    sh(`rm -rf ${DIRECTORY}`);
  });
  leavesNothingBehind();

  for (const server of [undefined, NAME]) {
    for (const command of ['stop', 'del']) {
      const isShort = (command === 'stop') === (server === undefined);
      test(`${command} waits for it ${server === undefined ? 'alone' : 'on a resident server'}`, {
        skip: isShort ? false : onlyLong,
      }, async () => {
        const { id } = await addDevice(server);
        sh(`ublkts ${command} -n ${id}`);
        assert.ok(existsSync(CLOSED), 'the target is closed when the command ends');
        if (command === 'del') return;
        assert.equal((await describeDevice(id)).state, 'DEAD');
        sh(`ublkts del -n ${id}`);
      });
    }
  }

  test('that fails is told of by whoever ends the device, and the log names the device', async () => {
    for (const server of [undefined, NAME]) {
      const { id } = await addDevice(server, { fails: 'yes' });
      const lost =
        /its target could not be closed: the disk is full \(closes-late\.ts:\d+:\d+\); what it had not stored may be lost/;
      const log = server === undefined ? `/run/ublkts/${id}.log` : `/run/ublkts/server-${server}.log`;
      shFails(`ublkts stop -n ${id}`, lost);
      assert.match(
        readFileSync(log, 'utf8'),
        new RegExp(`device ${id}: the target could not be closed on thread 0: Error: the disk`),
      );
      assert.match((await describeDevice(id)).last_error ?? '', lost);
      shFails(`ublkts del -n ${id}`, lost);
      assert.ok(!existsSync(`/run/ublkts/${id}.json`));
    }
  });

  test('that ends its thread instead is told of, too', async () => {
    for (const server of LONG ? [undefined, NAME] : [undefined]) {
      const { id } = await addDevice(server, { exits: 'yes' });
      shFails(`ublkts del -n ${id}`, /its target could not be closed: it called process\.exit before it was done/);
      assert.deepEqual(filesLeftOf(id), []);
    }
  });

  for (const server of [undefined, NAME]) {
    for (const command of ['stop', 'del']) {
      test(`that never does is given up, and ${command} says what that means ${server === undefined ? 'alone' : 'on a resident server'}`, {
        skip: onlyLong,
      }, async () => {
        const { id } = await addDevice(server, { until: `${DIRECTORY}/never` });
        const lost =
          /its target could not be closed: it did not end within 30 s.*; what it had not stored may be lost/s;
        shFails(`ublkts ${command} -n ${id}`, lost);
        if (command === 'stop') shFails(`ublkts del -n ${id}`, lost);
        assert.deepEqual(filesLeftOf(id), []);
      });
    }
  }

  for (const server of LONG ? [undefined, NAME] : [NAME]) {
    test(`a second del goes on with what the first has given up ${server === undefined ? 'alone' : 'on a resident server'}`, async () => {
      const device = await addDevice(server, { until: `${DIRECTORY}/until` });
      const { id } = device;
      const pid = server === undefined ? device.ublksrv_pid : serverPid;
      await assert.rejects(
        library.deleteDevice(id, { timeoutMs: GIVEN_UP_MS }),
        (error: Error & { readonly hint?: string }) =>
          /its server \(pid \d+\) has not closed the target yet/.test(error.message) &&
          (server === undefined ? /what the target has not stored is lost/ : /all its devices lose their server/).test(
            error.hint ?? '',
          ),
      );
      assert.match(
        (await describeDevice(id)).last_error ?? '',
        new RegExp(`its server \\(pid ${pid}\\) is closing the target`),
      );
      sh(`touch ${DIRECTORY}/until`);
      sh(`ublkts del -n ${id}`);
      assert.ok(existsSync(CLOSED));
      assert.deepEqual(filesLeftOf(id), []);
    });

    test(`del removes the files of a device whose target was closed after a del was given up ${server ?? ''}`, {
      skip: server === undefined ? onlyLong : false,
    }, async () => {
      const { id } = await addDevice(server);
      await assert.rejects(library.deleteDevice(id, { timeoutMs: 300 }));
      await until('it is closed', () => existsSync(CLOSED));
      await until('the id is free', () => !existsSync(`/dev/ublkc${id}`));
      sh(`ublkts del -n ${id}`);
      assert.deepEqual(filesLeftOf(id), []);
      shFails(`ublkts del -n ${id}`, /there is no device/);
    });
  }

  test('a backing file that cannot be synced is told of too', async () => {
    const image = `${DIRECTORY}/image`;
    sh(`truncate -s 8M ${image}`);
    const { id: below, path: disk } = await library.addDevice({ target: 'loop', files: [image] });
    await blockDevice(disk);
    sh(`dmsetup create ${NAME} --table '0 16384 linear ${disk} 0'`);
    try {
      for (const server of [undefined, NAME]) {
        const backing = `/dev/mapper/${NAME}`;
        const { id, path } = await library.addDevice({
          target: 'loop',
          files: [backing],
          targetOptions: { buffered_io: '1' },
          ...(server && { server }),
        });
        await blockDevice(path);
        sh(`dd if=/dev/urandom of=${path} bs=4k count=16 oflag=direct status=none`);
        setTable('error');
        shFails(
          `ublkts del -n ${id}`,
          /could not be closed: fsync of .*failed with EIO; what it had not stored may be lost/,
        );
        assert.deepEqual(filesLeftOf(id), []);
        setTable(`linear ${disk} 0`);
      }
    } finally {
      sh(`dmsetup remove --retry ${NAME} && ublkts del -n ${below}`);
    }
  });

  test('list leaves the files of a device that is gone to the server that closes its target', async () => {
    const { id } = await addDevice(NAME, { until: `${DIRECTORY}/until` });
    await assert.rejects(library.deleteDevice(id, { timeoutMs: GIVEN_UP_MS }));
    sh('ublkts list');
    assert.ok(filesLeftOf(id).includes(`${id}.json`));
    sh(`touch ${DIRECTORY}/until`);
    sh(`ublkts del -n ${id}`);
    assert.deepEqual(filesLeftOf(id), []);
  });

  test('a server that was asked to end does so when the last device has left, however long that takes', async () => {
    const { pid } = await library.startServer({ name: 'ends' });
    const { id } = await addDevice('ends', { until: `${DIRECTORY}/until` });
    process.kill(pid, 'SIGTERM');
    await sleep(15_000);
    assert.match(readFileSync('/run/ublkts/server-ends.log', 'utf8'), new RegExp(`waiting for device ${id} to leave`));
    sh(`touch ${DIRECTORY}/until`);
    await until('it has ended', () => !existsSync('/run/ublkts/server-ends.lock'), 60);
    // A process that it has started removes them, because the kernel deletes no device that its server has open.
    await until('the files of its device are gone', () => filesLeftOf(id).length === 0, 60);
  });

  test('a channel to the driver that was closed takes no command', () => {
    const channel = new ControlChannel();
    channel.close();
    assert.throws(() => getDevInfo(channel, 0), /the device is gone/);
  });

  test('stopDevice gives up after its time, in words, and del waits for the rest', async () => {
    const { id } = await addDevice(undefined, { until: `${DIRECTORY}/until` });
    await assert.rejects(
      library.stopDevice(id, { timeoutMs: GIVEN_UP_MS }),
      /device \d+ is stopped, but its server \(pid \d+\) has not closed the target yet/,
    );
    assert.ok(!existsSync(CLOSED));
    sh(`touch ${DIRECTORY}/until`);
    sh(`ublkts del -n ${id}`);
    assert.ok(existsSync(CLOSED));
  });

  test('a server that a signal has stopped while it closes is named', async () => {
    const { id, ublksrv_pid: server } = await addDevice(undefined, { until: `${DIRECTORY}/until` });
    const refused = assert.rejects(
      library.stopDevice(id),
      new RegExp(`its server \\(pid ${server}\\) is stopped \\(state T\\) and has not closed the target yet`),
    );
    while ((await describeDevice(id)).state !== 'DEAD') await sleep(20);
    process.kill(server, 'SIGSTOP');
    await refused;
    process.kill(server, 'SIGCONT');
    sh(`touch ${DIRECTORY}/until`);
    sh(`ublkts del -n ${id}`);
    assert.ok(existsSync(CLOSED));
  });
});

/** What the dm device does from now on. What is dirty in the page cache stays so. */
function setTable(table: string): void {
  sh(`dmsetup suspend --nolockfs --noflush ${NAME}`);
  sh(`dmsetup load ${NAME} --table '0 16384 ${table}' && dmsetup resume ${NAME}`);
}

function filesLeftOf(id: number): string[] {
  return readdirSync('/run/ublkts').filter((name) => name.startsWith(`${id}.`));
}

async function addDevice(
  server: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly id: number; readonly ublksrv_pid: number }> {
  sh(`rm -f ${CLOSED} ${DIRECTORY}/until`);
  const target = `${DIRECTORY}/closes-late.ts`;
  const device = await library.addDevice({
    target,
    targetOptions: { closed: CLOSED, ...more },
    ...(server && { server }),
  });
  await blockDevice(device.path);
  return device;
}
