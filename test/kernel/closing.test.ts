/** A target that takes its time to close: whoever has stopped or deleted the device may use its files at once. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockDevice, describeDevice, leavesNothingBehind, sh, skip } from './guest.ts';
import { library } from './support/library.ts';

const NAME = 'closing';
const DIRECTORY = '/tmp/closing';
const CLOSED = `${DIRECTORY}/closed`;

describe('a target that takes its time to close', { skip, timeout: 300_000 }, () => {
  let pid = 0;

  before(async () => {
    sh(`mkdir -p ${DIRECTORY} && cp test/fixtures/closes-late.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`);
    ({ pid } = await library.startServer({ name: NAME }));
  });
  after(async () => {
    await library.deleteAllDevices();
    process.kill(pid, 'SIGTERM');
    for (let tries = 0; existsSync(`/run/ublkts/server-${NAME}.log`) && tries < 100; tries++) await sleep(50);
    sh(`rm -rf ${DIRECTORY}`);
  });
  leavesNothingBehind();

  for (const server of [undefined, NAME]) {
    for (const command of ['stop', 'del']) {
      test(`${command} waits for it ${server === undefined ? 'alone' : 'on a resident server'}`, async () => {
        const { id } = await addDevice(server);
        sh(`ublkts ${command} -n ${id}`);
        assert.ok(existsSync(CLOSED), 'the target is closed when the command ends');
        if (command === 'del') return;
        assert.equal((await describeDevice(id)).state, 'DEAD');
        sh(`ublkts del -n ${id}`);
      });
    }
  }

  test('stopDevice gives up after its time, in words, and del waits for the rest', async () => {
    const { id } = await addDevice(undefined);
    await assert.rejects(
      library.stopDevice(id, { timeoutMs: 300 }),
      /device \d+ is stopped, but its server \(pid \d+\) has not closed the target yet/,
    );
    assert.ok(!existsSync(CLOSED));
    sh(`ublkts del -n ${id}`);
    assert.ok(existsSync(CLOSED));
  });

  test('a server that a signal has stopped while it closes is named', async () => {
    const { id, ublksrv_pid: server } = await addDevice(undefined);
    const refused = assert.rejects(
      library.stopDevice(id),
      new RegExp(`its server \\(pid ${server}\\) is stopped \\(state T\\) and has not closed the target yet`),
    );
    while ((await describeDevice(id)).state !== 'DEAD') await sleep(20);
    process.kill(server, 'SIGSTOP');
    await refused;
    process.kill(server, 'SIGCONT');
    sh(`ublkts del -n ${id}`);
    assert.ok(existsSync(CLOSED));
  });
});

async function addDevice(server: string | undefined): Promise<{ readonly id: number; readonly ublksrv_pid: number }> {
  sh(`rm -f ${CLOSED}`);
  const target = `${DIRECTORY}/closes-late.ts`;
  const device = await library.addDevice({ target, targetOptions: { closed: CLOSED }, ...(server && { server }) });
  await blockDevice(device.path);
  return device;
}
