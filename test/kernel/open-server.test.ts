/** Resident servers that a program holds open, on a real ublk driver: what it hears of them, and when they have ended. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { OpenServer } from '../../src/index.ts';
import { packagePath } from '../../src/package-root.ts';
import { leavesNothingBehind, run, sh, skip } from './guest.ts';
import { until } from './support/devices.ts';
import { library } from './support/library.ts';

const NAME = 'held';
const RECOVERABLE = {
  target: 'null',
  queues: 1,
  features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'],
} as const;

describe('a program that holds a resident server open', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  after(async () => {
    run('ublkts del -a');
    if (existsSync(`/run/ublkts/server-${NAME}.sock`)) await (await library.openServer({ name: NAME })).end();
  });

  test('sees what its listener throws, and hears of devices all the same', async () => {
    const server = await library.openServer({ name: NAME });
    const [lost, kept] = [await server.add({ target: 'null' }), await server.add({ target: 'null' })];
    const heard = listen(server);
    server.once('left', () => {
      throw new Error('my listener threw');
    });
    const thrown: string[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
    try {
      sh(`ublkts del -n ${lost.id}`);
      await until('the listener has thrown', () => thrown.length > 0);
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    assert.deepEqual([thrown, heard, server.devices], [['my listener threw'], [`left ${lost.id}`], [kept.id]]);
    sh(`ublkts del -n ${kept.id}`);
    await until('the next event', () => heard.length > 1);
    assert.deepEqual([heard[1], server.devices], [`left ${kept.id}`, []]);
    const { pid } = server;
    await server.close();
    assert.ok(existsSync(`/proc/${pid}`), 'close lets it live');
    await assert.rejects(server.add({ target: 'null' }), { code: 'EBADF' });
    await assert.rejects(server.recover(lost.id), { code: 'EBADF' });
    await server.end();
    await until('its process has ended', () => !existsSync(`/proc/${pid}`));
  });

  test('gives up a device while the driver makes it, and nothing is left', async () => {
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 20, 'the driver has not kept anybody waiting');
      const controller = new AbortController();
      const onWaiting = (what: string): void => {
        if (what.includes('the driver to make the device')) controller.abort(new Error('given up'));
      };
      const adding = library.addDevice({ target: 'null', queues: 1 }, { signal: controller.signal, onWaiting });
      const outcome = await adding.catch((error: Error) => error);
      assert.equal(outcome instanceof Error, controller.signal.aborted);
      if (outcome instanceof Error) {
        assert.equal(outcome.message, 'given up');
        break;
      }
      // Nobody had to wait: the driver had made it before it was looked at again.
      await library.deleteDevice(outcome.id);
    }
    assert.deepEqual(await library.listDevices(), []);
  });

  for (const patience of ['has heard of it', 'has not heard of it yet']) {
    test(`recovers a device when the server was killed and it ${patience}, and follows the new one`, async () => {
      const server = await library.openServer({ name: NAME });
      const { id } = await server.add(RECOVERABLE);
      await until('it is heard of', () => server.devices.length > 0);
      const heard = listen(server);
      const killed = server.pid;
      process.kill(killed, 'SIGKILL');
      if (patience === 'has heard of it') {
        await until('the end', () => heard.length > 0);
        assert.deepEqual([heard, server.devices, server.pid], [['end'], [], killed]);
        await server.end();
      }
      const { ublksrv_pid: pid } = await server.recover(id);
      assert.notEqual(pid, killed);
      assert.deepEqual([server.pid, server.devices], [pid, [id]]);
      await until('what has happened', () => heard.length > 1);
      assert.deepEqual(heard, ['end', `live ${id}`]);
      sh(`ublkts del -n ${id}`);
      await until('what happens next', () => heard.length > 2);
      assert.deepEqual(heard.slice(2), [`left ${id}`]);
      await server.end();
      await until('its process has ended', () => !existsSync(`/proc/${pid}`));
      assert.equal(heard[3], 'end');
    });
  }

  test('may do so in a worker thread, and Node warns of nothing', async () => {
    const code = `import('ublkts').then(async ({ openServer }) => {
      const server = await openServer({ name: '${NAME}' });
      const { id } = await server.add({ target: 'null', queues: 1 });
      await server.delete(id);
      await server.end();
    })`;
    const worker = new Worker(code.replace('ublkts', packagePath('dist/index.js')), { eval: true, stderr: true });
    const [said, [exitCode]] = await Promise.all([text(worker.stderr), once(worker, 'exit')]);
    assert.deepEqual([said, exitCode], ['', 0]);
  });

  test('does not take it for ended while a device is in use', async () => {
    const server = await library.openServer({ name: NAME });
    const { id, path } = await server.add({ target: 'null' });
    const user = run(`exec {fd}<> ${path}; ublkts list > /dev/null; (sleep 6) > /dev/null 2>&1 & echo $!`);
    await server.close();
    await assert.rejects(server.end({ timeoutMs: 4_000 }), {
      code: 'EBUSY',
      message: new RegExp(`it still has device ${id}`),
    });
    await until('the device is free', () => run(`kill -0 ${user.stdout.trim()}`).status !== 0);
    await server.end();
    assert.ok(!existsSync(`/sys/class/ublk-char/ublkc${id}`), 'the id is free when the server has ended');
  });
});

function listen(server: OpenServer): string[] {
  const heard: string[] = [];
  server.on('live', (device) => heard.push(`live ${device}`));
  server.on('left', (device) => heard.push(`left ${device}`));
  server.on('end', () => heard.push('end'));
  return heard;
}
