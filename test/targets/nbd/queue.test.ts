/** The queue of the target nbd on a real ring, with a server in this process that may break the protocol. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_WRITE,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../../../src/targets/nbd/protocol/numbers.ts';
import { NbdClient } from './client.ts';
import { logged } from './logged.ts';
import { ringRefusal } from './requests.ts';
import { encodeChunk, encodeSimpleReply } from './server-side.ts';
import { type HostileServer, hostileServer, type Lie } from './servers.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'nbd-'));
const SOCKET = join(FOLDER, 'socket');
const OPTIONS = { uri: `nbd+unix:///?socket=${SOCKET}` };
const DISK = 4 << 20;
const READ_ONLY = NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY;
const SLOTS = 16;
const LARGEST = 256 << 10;
const EIO = 5;
const EINVAL = 22;
/** The protocol's own number. */
const ESHUTDOWN = 108;

const skip = ringRefusal();

describe('the queue of nbd', { skip, timeout: 120_000 }, () => {
  after(() => rmSync(FOLDER, { recursive: true }));

  test('writes and reads whatever is asked, many requests at once, of all sizes', async () => {
    await withClient(async (client) => {
      const image = Buffer.alloc(DISK);
      const share = DISK / SLOTS;
      await eachSlot(async (slot) => {
        for (let round = 0; round < 30; round++) {
          const sectors = randomInt(1, round % 3 === 0 ? LARGEST / 512 : 9);
          const sector = (slot * share) / 512 + randomInt(0, share / 512 - sectors + 1);
          if (round % 2 === 0) {
            const data = randomBytes(sectors * 512);
            assert.equal(await client.write(slot, sector, data), data.length);
            image.set(data, sector * 512);
          } else {
            assert.deepEqual(
              await client.read(slot, sector, sectors),
              image.subarray(sector * 512, (sector + sectors) * 512),
            );
          }
          if (round % 7 === 0) assert.equal(await client.flush(slot), 0);
        }
      });
    });
  });

  for (const [what, lie] of lies()) {
    test(`at a server that answers with ${what}, serves every request on the next connection`, async () => {
      await withClient(async (client, server) => {
        await eachSlot(async (slot) => {
          assert.equal(await client.write(slot, slot * 512, Buffer.alloc(LARGEST, slot)), LARGEST);
        });
        let told = 0;
        server.lie = (request, honest, socket) => {
          if (request.command !== NBD_CMD_READ || ++told !== 5) return honest;
          return lie(request, honest, socket);
        };
        await eachSlot(async (slot) => {
          for (const sectors of [1, 8, 64, 512]) {
            const data = await client.read(slot, slot * 512, sectors);
            assert.ok(Buffer.isBuffer(data), `the result is ${String(data)}`);
            assert.ok(data.every((byte) => byte === slot));
          }
        });
        assert.equal(server.connections, 2);
        for (let tries = 0; tries < 100 && client.connection?.inFlight !== 0; tries++) await sleep(10);
        const { state, reconnects, inFlight, sentBytes, receivedBytes } = client.connection ?? {};
        assert.deepEqual([state, reconnects, inFlight], ['up', 1, 0]);
        assert.ok((sentBytes ?? 0) > SLOTS * LARGEST && (receivedBytes ?? 0) > SLOTS * 585 * 512, 'bytes are counted');
      });
    });
  }

  test('at a server that closes connections as soon as they are made, serves every request on the one that stays', async () => {
    await withClient(async (client, server) => {
      server.drops = 3;
      server.lie = (_request, _honest, socket) => {
        server.lie = (_next, honest) => honest;
        return ended(socket, Buffer.alloc(0));
      };
      assert.ok(Buffer.isBuffer(await client.read(0, 0, 8)));
      assert.equal(server.connections, 5);
      assert.equal(client.connection?.reconnects, 4);
    });
  });

  test('goes on with a server that lacks only what the device does not use', async () => {
    const server = await hostileServer(SOCKET, DISK);
    const client = new NbdClient(SLOTS, LARGEST);
    // FUA belongs to a cache, and nothing is cleared on a read-only device.
    server.flags = READ_ONLY | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES;
    try {
      await client.connect({ ...OPTIONS, reconnect_delay: '1' });
      server.flags = READ_ONLY;
      server.lie = (_request, _honest, socket) => {
        server.lie = (_next, honest) => honest;
        return ended(socket, Buffer.alloc(0));
      };
      assert.ok(Buffer.isBuffer(await client.read(0, 0, 8)));
    } finally {
      client.close();
      await server.close();
    }
  });

  test('says in the log when the server may have taken writes with it that nobody has flushed', async (t) => {
    await withClient(async (client, server) => {
      const lines = logged(t);
      const loseConnection = async (): Promise<number> => {
        lines.length = 0;
        server.lie = (_request, _honest, socket) => {
          server.lie = (_next, honest) => honest;
          return ended(socket, Buffer.alloc(0));
        };
        assert.ok(Buffer.isBuffer(await client.read(0, 0, 1)));
        return lines.filter((line) => line.includes('no client has flushed')).length;
      };
      assert.equal(await loseConnection(), 0, 'nothing was written');
      await client.write(0, 0, Buffer.alloc(512));
      assert.equal(await loseConnection(), 1);
      await client.flush(0);
      assert.equal(await loseConnection(), 0, 'all is stored');
    });
  });

  test('completes a write that is answered early only when its message is sent', async () => {
    await withClient(async (client, server) => {
      const taken = Promise.withResolvers<() => void>();
      let isTaken = false;
      server.lie = ({ cookie }, _honest, socket) => {
        // All writes are answered with the first one, before the data of the others has been read.
        if (isTaken) return Buffer.alloc(0);
        isTaken = true;
        taken.resolve(() => socket.resume());
        socket.pause();
        const next = Array.from({ length: SLOTS - 1 }, (_, slot) => encodeSimpleReply((1n << 32n) | BigInt(slot + 1)));
        return Buffer.concat([encodeSimpleReply(cookie), ...next]);
      };
      let completed = 0;
      const done = eachSlot(async (slot) => {
        assert.equal(await client.write(slot, slot * 512, Buffer.alloc(LARGEST, slot)), LARGEST);
        completed++;
      });
      const goOn = await taken.promise;
      await sleep(50);
      assert.equal(completed, 0, 'the message is too large for the socket');
      goOn();
      await done;
      assert.equal(server.connections, 1);
    });
  });

  for (const structured of ['no', 'yes']) {
    test(`survives ten million bytes of noise, structured_replies=${structured}: nothing is written outside of a request, and no request fails`, async () => {
      await withClient(
        async (client, server) => {
          const lied = new WeakSet();
          let lies = 4;
          server.lie = (request, honest, socket) => {
            if (request.command !== NBD_CMD_READ || lies === 0 || lied.has(socket)) return honest;
            lied.add(socket);
            lies--;
            // Behind the header of a reply, noise is taken for data first.
            const noise = randomBytes(2_500_000);
            return lies % 2 === 0 ? noise : Buffer.concat([honest.subarray(0, structured === 'yes' ? 28 : 16), noise]);
          };
          await eachSlot(async (slot) => {
            for (const sectors of [8, 512]) {
              for (let round = 0; round < 4; round++) {
                assert.ok(Buffer.isBuffer(await client.read(slot, slot * 512, sectors)));
              }
            }
          });
          assert.equal(lies, 0);
          assert.equal(server.connections, 5);
        },
        { structured_replies: structured },
      );
    });
  }

  test('gives a client the errors of the server, and EIO for those that there are not', async () => {
    await withClient(async (client, server) => {
      let error = 0;
      server.lie = ({ command, cookie }, honest) =>
        command === NBD_CMD_WRITE ? encodeSimpleReply(cookie, error) : honest;
      for (const [number, errno] of [
        [1, 1],
        [28, 28],
        [75, 75],
        [95, 95],
        [2, EIO],
        [0x8000_0000, EIO],
        [0xffff_ffff, EIO],
      ] as const) {
        error = number;
        assert.equal(await client.write(0, 0, Buffer.alloc(512)), -errno);
      }
    });
  });

  test('leaves a server that is about to end only when it has answered what was sent: a write that it still works on is not sent again', async () => {
    await withClient(async (client, server) => {
      let writes = 0;
      let isEnding = true;
      const taken = Promise.withResolvers<() => void>();
      server.lie = ({ command, cookie }, honest, socket) => {
        if (command === NBD_CMD_READ && isEnding) {
          isEnding = false;
          return encodeSimpleReply(cookie, ESHUTDOWN);
        }
        if (command !== NBD_CMD_WRITE) return honest;
        writes++;
        taken.resolve(() => socket.write(honest));
        return Buffer.alloc(0);
      };
      const slow = client.write(0, 0, Buffer.alloc(512, 1));
      const answer = await taken.promise;
      const refused = client.read(1, 8, 1);
      await sleep(50);
      assert.equal(server.connections, 1, 'the connection is kept for the write');
      const later = client.read(2, 0, 1);
      answer();
      assert.equal(await slow, 512);
      assert.ok(Buffer.isBuffer(await refused));
      assert.deepEqual(await later, Buffer.alloc(512, 1), 'what comes meanwhile goes to the next connection');
      assert.deepEqual([writes, server.connections], [1, 2]);
    });
  });

  test('sends a flush that has failed on no other connection: the next one may succeed, and the writes are lost all the same', async () => {
    await withClient(async (client, server) => {
      let flushes = 0;
      server.lie = ({ command, cookie }, honest) => {
        if (command !== NBD_CMD_FLUSH) return honest;
        flushes++;
        return flushes === 1 ? encodeSimpleReply(cookie, EIO) : honest;
      };
      assert.equal(await client.write(0, 0, Buffer.alloc(512, 1)), 512);
      assert.equal(await client.flush(0), -EIO);
      assert.deepEqual([flushes, server.connections], [1, 1]);
      assert.equal(await client.flush(0), 0);
    });
  });

  test('at a server that has grown, sends a write again on no other connection while the server still works on it', async () => {
    await withClient(async (client, server) => {
      const grown = DISK / 512;
      const taken = Promise.withResolvers<() => void>();
      let told = 0;
      server.lie = ({ command, cookie }, honest, socket) => {
        if (command === NBD_CMD_WRITE) told++;
        if (server.connections > 1) return honest;
        if (command === NBD_CMD_READ) return encodeSimpleReply(cookie, EINVAL);
        taken.resolve(() => socket.write(honest));
        return Buffer.alloc(0);
      };
      const write = client.write(0, 0, Buffer.alloc(512, 'A'));
      const answer = await taken.promise;
      const read = client.read(1, grown, 1);
      await sleep(50);
      const next = client.write(2, 8, Buffer.alloc(512, 'B'));
      await sleep(50);
      assert.deepEqual([server.connections, told], [1, 1], 'the connection is kept, and nothing more is sent');
      assert.equal(client.connection?.inFlight, 1);
      server.grow(2 * DISK);
      client.deviceBytes = 2 * DISK;
      answer();
      assert.equal(await write, 512);
      assert.ok(Buffer.isBuffer(await read));
      assert.equal(await next, 512);
      assert.deepEqual([server.connections, told], [2, 2], 'each write is sent once');
    });
  });

  test('with a delay, fails what waits when it is over, also at a server that takes every connection and answers nothing', async () => {
    const server = await hostileServer(SOCKET, DISK);
    server.lie = (_request, _honest, socket) => ended(socket, Buffer.alloc(0));
    const client = new NbdClient(SLOTS, LARGEST);
    await client.connect({ ...OPTIONS, reconnect_delay: '1' });
    const began = performance.now();
    assert.equal(await client.read(0, 0, 1), -EIO);
    const took = performance.now() - began;
    assert.ok(took > 900 && took < 2000, `the request failed after ${took} ms`);
    client.close();
    await server.close();
  });

  test('with a delay, fails what waits when it is over, and serves again when the server is back', async () => {
    const server = await hostileServer(SOCKET, DISK);
    const client = new NbdClient(SLOTS, LARGEST);
    await client.connect({ ...OPTIONS, reconnect_delay: '1' });
    await server.close();
    const began = performance.now();
    assert.equal(await client.read(0, 0, 1), -EIO);
    assert.ok(performance.now() - began > 500, 'the request waited');
    assert.equal(await client.read(0, 0, 1), -EIO, 'and the next does not');
    assert.equal(client.connection?.state, 'failing');
    const small = await hostileServer(SOCKET, DISK / 2);
    await sleep(500);
    assert.equal(await client.read(0, 0, 1), -EIO, 'a smaller export is not the device');
    await small.close();
    client.deviceBytes = 2 * DISK;
    const outgrown = await hostileServer(SOCKET, DISK);
    await sleep(1000);
    assert.equal(await client.read(0, 0, 1), -EIO, 'an export that the device has outgrown is not the device either');
    await outgrown.close();
    const next = await hostileServer(SOCKET, 2 * DISK);
    while (!Buffer.isBuffer(await client.read(0, 0, 1))) await sleep(20);
    client.close();
    await next.close();
  });
});

function lies(): (readonly [what: string, lie: Lie])[] {
  return [
    ['a wrong magic number', () => Buffer.alloc(16)],
    ['a reply to a request never sent', () => encodeSimpleReply(12_345n)],
    ['a reply to another use of the slot', ({ cookie }) => encodeSimpleReply(cookie ^ (1n << 33n))],
    ['a structured reply', ({ cookie }) => encodeChunk(cookie, 1, 1, Buffer.alloc(64))],
    ['two replies', (_request, honest) => Buffer.concat([honest, honest])],
    ['nothing, and is gone', (_request, _honest, socket) => ended(socket, Buffer.alloc(0))],
    ['half a header, and is gone', (_request, honest, socket) => ended(socket, honest.subarray(0, 7))],
    [
      'half of the data, and is gone',
      (_request, honest, socket) => ended(socket, honest.subarray(0, honest.length / 2)),
    ],
    ['the news that it is about to end', ({ cookie }) => encodeSimpleReply(cookie, ESHUTDOWN)],
  ];
}

function ended(socket: { end: (bytes: Buffer) => void }, bytes: Buffer): Buffer {
  socket.end(bytes);
  return Buffer.alloc(0);
}

async function withClient(
  use: (client: NbdClient, server: HostileServer) => Promise<void>,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const server = await hostileServer(SOCKET, DISK);
  const client = new NbdClient(SLOTS, LARGEST);
  try {
    await client.connect({ ...OPTIONS, ...more });
    await use(client, server);
  } finally {
    client.close();
    await server.close();
  }
}

async function eachSlot(use: (slot: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: SLOTS }, (_, slot) => use(slot)));
}
