/** An open server whose connections are made and cut by the test: it plays the server. Needs root, for the directory in /run. */
import assert from 'node:assert/strict';
import { closeSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { OpenServer } from '../../src/device/servers/open-server.ts';
import { encodeAnswer, encodeFrame } from '../../src/protocol/frame.ts';
import { makeRunDirectories, residentFiles } from '../../src/record/files.ts';
import { takeServerLock } from '../../src/record/server-lock.ts';

const name = `played-${process.pid}`;
const files = residentFiles(name);
const skip = process.getuid?.() === 0 ? false : 'needs root';

describe('an open server', { skip }, () => {
  let listener: Server;
  let lock: number;
  let pid = 0;
  /** The devices that the server tells to whoever follows it next. */
  let devices: number[] = [];
  const connections: Socket[] = [];

  before(async () => {
    makeRunDirectories();
    lock = (await takeServerLock(files.lock)) ?? -1;
    listener = createServer((socket) => {
      connections.unshift(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(Buffer.concat([answer(pid), encodeFrame({ event: 'devices', devices })])));
    });
    await new Promise<void>((resolve) => listener.listen(files.socket, resolve));
  });
  after(() => {
    for (const connection of connections) connection.destroy();
    listener.close();
    for (const path of Object.values(files)) rmSync(path, { force: true });
  });

  test('passes on what a listener throws, and goes on to follow', async () => {
    [pid, devices] = [11, [1, 2, 3]];
    const server = await OpenServer.open(name);
    const heard = listen(server);
    server.once('left', () => {
      throw new Error('my listener threw');
    });
    const thrown: unknown[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
    try {
      connections[0]?.write(Buffer.concat([event('left', 1), event('left', 2)]));
      await until(() => server.devices.length === 1);
      connections[0]?.write(event('live', 4));
      await until(() => heard.includes('live 4'));
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    assert.deepEqual(thrown, ['my listener threw']);
    assert.deepEqual(heard, ['left 1', 'left 2', 'live 4']);
    assert.deepEqual(server.devices, [3, 4]);
    await server.close();
  });

  test('is followed on when the connection is lost, and hears what has happened meanwhile', async () => {
    [pid, devices] = [12, [1, 2]];
    const server = await OpenServer.open(name);
    const heard = listen(server);
    devices = [2, 5];
    connections[0]?.destroy();
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['left 1', 'live 5']);
    assert.deepEqual([server.devices, server.pid], [[2, 5], 12]);
    // What is no frame ends a connection, too.
    connections[0]?.write('this is no frame');
    devices = [2];
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['left 1', 'live 5', 'left 5']);
    await server.close();
  });

  test('has ended when another process has its name', async () => {
    [pid, devices] = [13, [1]];
    const server = await OpenServer.open(name);
    const heard = listen(server);
    pid = 14;
    connections[0]?.destroy();
    await until(() => heard.length > 0);
    assert.deepEqual([heard, server.devices, server.pid], [['end'], [], 13]);
    await server.end();
    await server.close();
  });

  test('has ended when its lock is free, and hears nothing after close', async () => {
    pid = 15;
    const [server, closed] = [await OpenServer.open(name), await OpenServer.open(name)];
    const [heard, unheard] = [listen(server), listen(closed)];
    await closed.close();
    assert.deepEqual(closed.devices, []);
    closeSync(lock);
    listener.close();
    for (const connection of connections) connection.destroy();
    await until(() => heard.length > 0);
    assert.deepEqual([heard, unheard], [['end'], []]);
  });
});

function listen(server: OpenServer): string[] {
  const heard: string[] = [];
  server.on('live', (device) => heard.push(`live ${device}`));
  server.on('left', (device) => heard.push(`left ${device}`));
  server.on('end', () => heard.push('end'));
  return heard;
}

function answer(pid: number): Buffer {
  return encodeAnswer({ ok: true, value: { pid } });
}

function event(what: 'live' | 'left', device: number): Buffer {
  return encodeFrame({ event: what, device });
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 500, 'it happens within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
