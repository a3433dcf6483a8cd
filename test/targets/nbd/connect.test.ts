/** How the target nbd finds its server: over which addresses, and what it says when nobody is there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { interfaceIndex } from '../../../src/native/libc/stream-socket.ts';
import { addressesOf } from '../../../src/targets/nbd/connection/addresses.ts';
import { askExport } from '../../../src/targets/nbd/ask.ts';
import { askNbd } from '../../../src/targets/nbd/connection/connect.ts';
import { listExports } from '../../../src/targets/nbd/handshake/negotiate.ts';
import { encodeGreeting } from './server-side.ts';
import { hostileServer } from './servers.ts';

describe('a connection to an NBD server', () => {
  for (const host of ['127.0.0.1', '::ffff:127.0.0.1', 'localhost']) {
    test(`reaches ${host}, and a server of another protocol is told from a missing one`, async () => {
      await withServer(async (port) => {
        const asked = askExport({ address: { kind: 'tcp', host, port }, exportName: '' });
        await assert.rejects(asked, /does not greet as an NBD server does/);
      });
    });
  }

  test('asks for an export, is told of it, and ends the session without choosing it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nbd-'));
    const path = join(folder, 'socket');
    const server = await hostileServer(path, 1 << 20);
    const found = await askExport({ address: { kind: 'unix', path }, exportName: '' });
    assert.deepEqual([found.bytes, server.connections], [1 << 20, 1]);
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('to a server that never comes to an end of its negotiation is given up', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nbd-'));
    const path = join(folder, 'socket');
    const greeting = encodeGreeting();
    const server = createServer((socket) => {
      let sent = 0;
      socket.on('error', () => {});
      const timer = setInterval(() => socket.write(greeting.subarray(sent % 10, (sent++ % 10) + 1)), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await once(server.listen(path), 'listening');
    await assert.rejects(
      askNbd({ address: { kind: 'unix', path }, exportName: '' }, listExports, { longestMs: 150 }),
      /the server answers, but the negotiation has not ended within 0\.15 s/,
    );
    server.close();
    rmSync(folder, { recursive: true });
  });

  test('to a link-local address goes out of the interface that its zone names', async () => {
    const address = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    assert.deepEqual(await at('fe80::1%lo'), [{ family: 'ip', address, port: 1, scope: interfaceIndex('lo') }]);
    assert.deepEqual(await at('fe80::1%7'), [{ family: 'ip', address, port: 1, scope: 7 }]);
    assert.ok(interfaceIndex('lo') > 0);
    await assert.rejects(at('fe80::1%no-such-one'), /there is no network interface named no-such-one/);
  });

  test('to a port that nobody listens on is refused in words, with the address', async () => {
    const port = await withServer((used) => Promise.resolve(used));
    const asked = askExport({ address: { kind: 'tcp', host: '127.0.0.1', port }, exportName: 'disk' });
    await assert.rejects(asked, (error: Error & { hint?: string }) => {
      assert.match(error.message, /^cannot connect to nbd:\/\/127\.0\.0\.1:\d+\/disk: Connection refused/);
      assert.match(error.hint ?? '', /listen on 127\.0\.0\.1 port \d+\?/);
      return true;
    });
  });
});

function at(host: string): ReturnType<typeof addressesOf> {
  return addressesOf({ kind: 'tcp', host, port: 1 });
}

async function withServer<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-this is another protocol\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    await once(server, 'close');
  }
}
