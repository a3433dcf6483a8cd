/** A server on TCP that resets its connections in the middle of data, on a real ring. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { NBD_CMD_READ } from '../../../src/targets/nbd/protocol/numbers.ts';
import { NbdClient } from './client.ts';
import { logged } from './logged.ts';
import { ringRefusal } from './requests.ts';
import { type HostileServer, hostileServer, type Lie, TCP } from './servers.ts';

const SLOTS = 16;
const LARGEST = 256 << 10;
const ROUNDS = 4;

describe('a connection over TCP that is reset', { skip: ringRefusal(), timeout: 60_000 }, () => {
  let server: HostileServer;
  let client: NbdClient;
  before(async () => {
    server = await hostileServer(TCP, SLOTS * LARGEST);
  });
  after(() => server.close());
  beforeEach(async (t) => {
    client = new NbdClient(SLOTS, LARGEST);
    await client.connect({ uri: `nbd://127.0.0.1:${server.port}/` });
    if ('after' in t) t.after(() => client.close());
  });

  test('while a message of writes is sent, is made again, and all of them are written', async (t) => {
    const lines = logged(t);
    for (let round = 0; round < ROUNDS; round++) {
      resetOnce((_request, _honest, socket) => {
        // It has read one write of the message.
        socket.resetAndDestroy();
        return Buffer.alloc(0);
      });
      await eachSlot(async (slot) => {
        const data = Buffer.alloc(LARGEST, round * SLOTS + slot);
        assert.equal(await client.write(slot, (slot * LARGEST) / 512, data), LARGEST);
      });
      await eachSlot(async (slot) => {
        const data = await client.read(slot, (slot * LARGEST) / 512, LARGEST / 512);
        assert.ok(Buffer.isBuffer(data) && data.every((byte) => byte === round * SLOTS + slot));
      });
    }
    const lost = lines.filter((line) => line.includes(' is lost: '));
    assert.equal(lost.length, ROUNDS);
    for (const line of lost)
      assert.match(line, /: (Connection reset by peer|it broke off in the middle of a message);/);
  });

  test('in the middle of the data of a read, is made again, and the read has its data', async () => {
    await eachSlot(async (slot) => {
      assert.equal(await client.write(slot, (slot * LARGEST) / 512, Buffer.alloc(LARGEST, slot)), LARGEST);
    });
    resetOnce((request, honest, socket) => {
      if (request.command === NBD_CMD_READ)
        socket.write(honest.subarray(0, LARGEST / 2), () => socket.resetAndDestroy());
      return Buffer.alloc(0);
    });
    await eachSlot(async (slot) => {
      const data = await client.read(slot, (slot * LARGEST) / 512, LARGEST / 512);
      assert.ok(Buffer.isBuffer(data) && data.every((byte) => byte === slot));
    });
  });

  function resetOnce(lie: Lie): void {
    server.lie = (request, honest, socket) => {
      server.lie = (_next, other) => other;
      return lie(request, honest, socket);
    };
  }
});

async function eachSlot(use: (slot: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: SLOTS }, (_, slot) => use(slot)));
}
