import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, test, type TestContext } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { exchange } from '../../src/protocol/exchange.ts';
import { decodeAnswer, encodeAnswer, encodeFrame, encodeStatus } from '../../src/protocol/frame.ts';

const directory = mkdtempSync(join(tmpdir(), 'ublkts-exchange-'));
after(() => rmSync(directory, { recursive: true }));

const ANSWER = { ok: true, value: { text: 'x'.repeat(500_000) } } as const;
let servers = 0;

// A request waits for up to a minute; none of these may.
describe('the answer of a server', { timeout: 10_000 }, () => {
  test('is complete before the server closes the connection, also when it comes in pieces', async (t) => {
    const path = await served(t, async (socket) => {
      for (const piece of pieces(encodeAnswer(ANSWER), 70_001)) {
        socket.write(piece);
        await sleep(1);
      }
    });
    assert.deepEqual(decodeAnswer(await ask(path)), ANSWER);
  });

  test('is the number of kublk without the end of the connection', async (t) => {
    const path = await served(t, (socket) => void socket.write(encodeStatus(-19)));
    assert.equal(decodeAnswer(await ask(path)), -19);
  });

  test('is what has come when the server closes the connection in the middle of it', async (t) => {
    const path = await served(t, (socket) => void socket.end(encodeAnswer(ANSWER).subarray(0, 100)));
    const part = await ask(path);
    assert.equal(part.length, 100);
    assert.throws(() => decodeAnswer(part), { code: 'ECONNRESET' });
  });

  test('is given up when the signal aborts after a part of it', async (t) => {
    const giveUp = new AbortController();
    const path = await served(t, (socket) => {
      socket.write(encodeAnswer(ANSWER).subarray(0, 100));
      setTimeout(() => giveUp.abort(), 50);
    });
    await assert.rejects(ask(path, giveUp.signal), { name: 'AbortError' });
  });
});

/** Listens, and calls `answer` when a request has come; the connection stays open unless `answer` ends it. */
async function served(t: TestContext, answer: (socket: Socket) => void | Promise<void>): Promise<string> {
  const path = join(directory, String(servers++));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => void answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

function ask(path: string, signal?: AbortSignal): Promise<Buffer> {
  return exchange({ path, request: encodeFrame({}), signal, server: 'the server here', timeoutMs: 60_000, failed });
}

function failed({ message }: Error): UblkError {
  return new UblkError(message, { code: 'FAILED' });
}

function pieces(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    bytes.subarray(at * length, (at + 1) * length),
  );
}
