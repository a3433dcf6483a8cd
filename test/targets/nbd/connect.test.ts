/** How the target nbd finds its server: over which addresses, and what it says when nobody is there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { askExport } from '../../../src/targets/nbd/ask.ts';
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
