/** What a link tells of a server that takes connections and loses them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Connection, Link, type LinkOptions } from '../../../src/targets/nbd/connection/link.ts';
import {
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_SEND_FLUSH,
} from '../../../src/targets/nbd/protocol/numbers.ts';
import { parseNbdUri } from '../../../src/targets/nbd/uri.ts';
import { hostileServer } from './servers.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'nbd-'));
const SOCKET = join(FOLDER, 'socket');
const DISK = 1 << 20;
const FLAGS = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_CAN_MULTI_CONN;

after(() => rmSync(FOLDER, { recursive: true }));

const OPTIONS: LinkOptions = {
  uri: parseNbdUri(`nbd+unix:///?socket=${SOCKET}`),
  reconnectSeconds: 0,
  requestSeconds: 0,
  structured: false,
  tunnels: { open: () => Promise.reject(new Error('there is no TLS here')), lost: () => {} },
  export: { name: '', description: null, bytes: DISK, flags: FLAGS, blockSizes: null },
  needs: { largest: 1 << 20, connections: 2 },
  thread: 0,
  deviceBytes: () => null,
  onConnected: () => {},
  oldestLoss: () => Infinity,
  onOverdue: () => 0,
  onGivenUp: () => {},
  onLate: () => {},
};

describe('a link that is closed while it waits for a server that says nothing', () => {
  test('lets the server have its connection back at once', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const silent = createServer((socket) => accepted.resolve(socket)).listen(SOCKET);
    await once(silent, 'listening');
    const link = new Link(OPTIONS);
    link.lost('the test ends it', { isUnstored: false, wasWaiting: false });
    const socket = await accepted.promise;
    socket.resume();
    const ended = once(socket, 'close', { signal: AbortSignal.timeout(2000) });
    link.close();
    await ended;
    silent.close();
    await once(silent, 'close');
  });
});

describe('requests that have waited for half a minute', () => {
  test('are reported when a connection that has answered none of them is lost, and not when it has', async (t) => {
    const server = await hostileServer(SOCKET, DISK);
    let now = 10_000;
    t.mock.method(performance, 'now', () => now);
    let connected = Promise.withResolvers<Connection>();
    const reports: number[] = [];
    const link = new Link({
      ...OPTIONS,
      onConnected: (connection) => connected.resolve(connection),
      onLate: (sinceMs) => void reports.push(Date.now() - sinceMs),
    });
    const again = async (): Promise<void> => {
      connected = Promise.withResolvers<Connection>();
      link.lost('the test ends it', { isUnstored: false, wasWaiting: true });
      now += 31_000;
      closeSync((await connected.promise).fd);
    };
    await again();
    assert.equal(reports.length, 0);
    await again();
    assert.equal(reports.length, 1);
    assert.ok(reports[0]! >= 31_000, `they have waited for ${reports[0]} ms`);
    link.proven();
    await again();
    assert.equal(reports.length, 1, 'the time begins again');
    link.close();
    await server.close();
  });
});
