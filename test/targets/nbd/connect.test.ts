/** How the target nbd finds its server: over which addresses, and what it says when nobody is there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { askExport } from '../../../src/targets/nbd/ask.ts';

describe('a connection to an NBD server', () => {
  for (const host of ['127.0.0.1', '::ffff:127.0.0.1', 'localhost']) {
    test(`reaches ${host}, and a server of another protocol is told from a missing one`, async () => {
      await withServer(async (port) => {
        const asked = askExport({ address: { kind: 'tcp', host, port }, exportName: '' });
        await assert.rejects(asked, /does not greet as an NBD server does/);
      });
    });
  }

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
