/** The device's socket, without a device: who is heard, what of it, and that nothing stays behind. */
import assert from 'node:assert/strict';
import fs, { closeSync, fstatSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectUnix, MessageBuffer } from '../../src/native/libc/unix-socket.ts';
import { createMemfd } from '../../src/native/memory.ts';
import { type RequestHandler, RequestSocket } from '../../src/server/socket/listener.ts';
import { encodeRequest } from '../../src/protocol/buffer-requests.ts';
import { decodeAnswer } from '../../src/protocol/frame.ts';
import { UblkError } from '../../src/errors.ts';
import { closeAll, say } from '../../tools/guest/socket-clients.ts';

const EBADMSG = 74;
const EBUSY = 16;
const EINVAL = 22;
const ENODEV = 19;
const ETIMEDOUT = 110;

const folder = mkdtempSync(path.join(tmpdir(), 'ublkts-socket-'));
const socketPath = path.join(folder, 'ublkb0.sock');
const heard: { size: number; payload?: string; pid: number }[] = [];

/** Takes one descriptor and says how large its file is. */
const requests: RequestHandler = {
  async registerFd(descriptors, _readOnly, { pid }) {
    const fd = descriptors.take();
    try {
      const { size } = fstatSync(fd);
      if (size === 0) throw new UblkError('it is empty', { code: 'EINVAL' });
      heard.push({ size, pid });
      return { index: heard.length - 1 };
    } finally {
      closeSync(fd);
    }
  },
  async answer(version, payload, _descriptors, { pid }) {
    heard.push({ size: version, payload, pid });
    return { ok: true, value: [version] };
  },
};

describe('the socket', () => {
  let socket: RequestSocket;
  let descriptors: number;

  before(async () => {
    socket = await RequestSocket.listen(socketPath, requests);
    // What Node and the calls open once.
    await say(socketPath, encodeRequest({ op: 'list' }));
    await settled();
    descriptors = openDescriptors();
  });
  beforeEach(() => void heard.splice(0));
  after(async () => {
    await socket.close();
    rmSync(folder, { recursive: true });
  });

  test('is for its owner only', () => assert.equal(statSync(socketPath).mode & 0o777, 0o600));

  test("kublk's byte with a descriptor gets an index", async () => {
    const memfd = createMemfd('m', 8192);
    assert.equal(await say(socketPath, Uint8Array.of(0), [memfd]), 0);
    closeSync(memfd);
    assert.deepEqual(heard, [{ size: 8192, pid: process.pid }]);
  });

  test('a frame gets a frame, with a descriptor or without', async () => {
    const memfd = createMemfd('m', 4096);
    assert.deepEqual(await say(socketPath, encodeRequest({ op: 'list' })), { ok: true, value: [1] });
    const request = encodeRequest({ op: 'register-fd', readOnly: true });
    assert.deepEqual(await say(socketPath, request, [memfd]), { ok: true, value: [1] });
    closeSync(memfd);
    assert.equal(heard[1]?.payload, '{"op":"register-fd","readOnly":true}');
  });

  test('everything else is an error', async () => {
    const many = Array.from({ length: 10 }, () => createMemfd('m', 4096));
    const empty = createMemfd('m', 0);
    const cases: [what: string, bytes: Uint8Array, fds: number[], errno: number][] = [
      ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n'), [], EBADMSG],
      ['much garbage', Buffer.alloc(60_000, 7), [], EBADMSG],
      ['a byte alone', Uint8Array.of(0), [], EBADMSG],
      ['ten descriptors', Uint8Array.of(0), many, EINVAL],
      ['an error of who registers', Uint8Array.of(0), [empty], EINVAL],
      ['half a frame', encodeRequest({ op: 'list' }).subarray(0, 20), [], ETIMEDOUT],
      ['nothing', new Uint8Array(), [], ETIMEDOUT],
    ];
    for (const [what, bytes, fds, errno] of cases) {
      assert.equal(await say(socketPath, bytes, fds), -errno, what);
    }
    closeAll([...many, empty]);
    assert.deepEqual(heard, []);
  });

  test('who carries out a request knows whether its client has left; one that has only stopped sending has not', async (t) => {
    const path = `${socketPath}.left`;
    const left = new Map<string, () => boolean>();
    const gate = Promise.withResolvers<void>();
    const slow = await RequestSocket.listen(path, {
      ...requests,
      async answer(version, payload, _descriptors, asker) {
        left.set(payload, () => asker.hasLeft);
        await gate.promise;
        return { ok: true, value: version };
      },
    });
    const ask = (op: 'list' | 'unregister-all'): number => {
      const fd = connectUnix(path);
      const message = new MessageBuffer(1 << 16);
      message.send(fd, encodeRequest({ op }), []);
      message.close();
      return fd;
    };
    const stays = new Socket({ fd: ask('list'), allowHalfOpen: true });
    stays.end();
    const leaves = ask('unregister-all');
    await t.waitFor(() => assert.equal(left.size, 2), { timeout: 10_000 });
    const hasLeft = (op: string) => left.get(JSON.stringify({ op }))!();
    assert.ok(!hasLeft('list') && !hasLeft('unregister-all'));
    closeSync(leaves);
    assert.ok(!hasLeft('list') && hasLeft('unregister-all'));
    gate.resolve();
    const [answer] = (await once(stays, 'data')) as [Buffer];
    assert.deepEqual(decodeAnswer(answer), { ok: true, value: 1 });
    stays.destroy();
    await slow.close();
  });

  test('who leaves without a word is no trouble', async () => {
    for (let i = 0; i < 10; i++) closeSync(connectUnix(socketPath));
    assert.equal(await say(socketPath, Uint8Array.of(0)), -EBADMSG);
  });

  test('two hundred who wait: some are turned away at once, and all within their second', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => say(socketPath, new Uint8Array())));
    const count = (errno: number) => all.filter((answer) => answer === -errno).length;
    assert.equal(count(EBUSY) + count(ETIMEDOUT), 200);
    assert.ok(count(EBUSY) >= 100, `${count(EBUSY)} turned away`);
    const memfd = createMemfd('m', 4096);
    assert.equal(await say(socketPath, Uint8Array.of(0), [memfd]), 0, 'and the next is served');
    closeSync(memfd);
  });

  test('those who follow leave the others their connections, up to a number of their own', async () => {
    const path = `${socketPath}.follow`;
    const followed = await RequestSocket.listen(path, { ...requests, follow: () => () => () => {} });
    const followers: Socket[] = [];
    const replies: number[] = [];
    const message = new MessageBuffer(1 << 16);
    while (followers.length < 300) {
      const fd = connectUnix(path);
      message.send(fd, encodeRequest({ op: 'list' }), []);
      const follower = new Socket({ fd });
      followers.push(follower);
      const [reply] = (await once(follower, 'data')) as [Buffer];
      replies.push(reply.length);
    }
    message.close();
    assert.equal(replies.filter((bytes) => bytes === 4).length, 300 - 256, 'those behind the 256th get an errno');
    assert.equal(await say(path, Uint8Array.of(0)), -EBADMSG, 'who asks something is heard');
    await followed.close();
    for (const follower of followers) follower.destroy();
  });

  test('who follows and leaves with events unread is no error', async (t) => {
    const path = `${socketPath}.leaves`;
    const gate = Promise.withResolvers<(event: object) => void>();
    const stopped = Promise.withResolvers<void>();
    const follow = () => (send: (event: object) => void) => {
      gate.resolve(send);
      return () => stopped.resolve();
    };
    const followed = await RequestSocket.listen(path, { ...requests, follow });
    const fd = connectUnix(path);
    const message = new MessageBuffer(1 << 16);
    message.send(fd, encodeRequest({ op: 'list' }), []);
    message.close();
    const write = t.mock.method(fs, 'writeSync', fs.writeSync);
    syncBuiltinESMExports();
    (await gate.promise)({ event: 'left' });
    await settled();
    closeSync(fd);
    await stopped.promise;
    await followed.close();
    write.mock.restore();
    syncBuiltinESMExports();
    assert.deepEqual(
      write.mock.calls.map(({ arguments: words }) => words),
      [],
    );
  });

  test('what comes on a connection after the socket was closed is turned away', async () => {
    const path = `${socketPath}.closed`;
    const closed = await RequestSocket.listen(path, requests);
    const fd = connectUnix(path);
    await sleep(50);
    await closed.close();
    const memfd = createMemfd('m', 4096);
    const message = new MessageBuffer(1 << 16);
    message.send(fd, Uint8Array.of(0), [memfd]);
    message.close();
    const chunks: Buffer[] = [];
    for await (const chunk of new Socket({ fd })) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).readInt32LE(), -ENODEV);
    closeSync(memfd);
    assert.deepEqual(heard, []);
  });

  test('is closed when the requests that are being carried out have ended', async () => {
    const path = `${socketPath}.slow`;
    const answer = Promise.withResolvers<void>();
    const slow = await RequestSocket.listen(path, {
      ...requests,
      answer: () => answer.promise.then(() => ({ ok: true, value: 1 })),
    });
    const said = say(path, encodeRequest({ op: 'list' }));
    await sleep(100);
    let isClosed = false;
    const closing = slow.close().then(() => (isClosed = true));
    await sleep(50);
    assert.ok(!isClosed);
    answer.resolve();
    await closing;
    assert.deepEqual(await said, { ok: true, value: 1 });
  });

  test('no descriptor stays open', async () => {
    await settled();
    assert.equal(openDescriptors(), descriptors);
  });
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Connections are closed a moment after their answer. */
async function settled(): Promise<void> {
  for (let before = -1, round = 0; round < 100; round++) {
    const now = openDescriptors();
    if (now === before) return;
    before = now;
    await sleep(100);
  }
  assert.fail('connections come and go for ten seconds');
}
