/** How long requests of the target nbd wait, on a real ring: for a server that is lost, and for one that does not answer. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NbdClient } from './client.ts';
import { ringRefusal } from './requests.ts';
import { Stopwatch } from './stopwatch.ts';
import { type HostileServer, hostileServer, type Lie } from './servers.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'nbd-'));
const SOCKET = join(FOLDER, 'socket');
const DISK = 1 << 20;
const SLOTS = 8;
const LARGEST = 64 << 10;
const EIO = 5;
/** The request at this sector is the one that the server does not survive, or does not answer. */
const BAD = 100;

after(() => rmSync(FOLDER, { recursive: true }));

describe('with --reconnect_delay', { skip: ringRefusal(), timeout: 60_000 }, () => {
  test('a request that always ends its server fails, and the others are served', async () => {
    await withClient({ reconnect_delay: '2' }, async (client, server) => {
      server.lie = atBadSector((_request, _honest, socket) => ended(socket));
      let isOver = false;
      const others = served(client, () => isOver);
      const clock = new Stopwatch();
      assert.equal(await client.read(0, BAD, 1), -EIO);
      clock.requireTime(2000, 3500);
      isOver = true;
      const { connections } = server;
      // Another read may be lost together with it on the first two connections, and wait behind it on the third.
      assert.ok(
        (await others) >= connections - 3 && connections > 4,
        `others were served on ${connections} connections`,
      );
      assert.ok(Buffer.isBuffer(await client.read(0, 0, 1)), 'the next request in the slot has a time of its own');
    });
  });

  test('so does one that ends its server only after seconds', async () => {
    await withClient({ reconnect_delay: '1' }, async (client, server) => {
      server.lie = atBadSector((_request, _honest, socket) => {
        setTimeout(() => socket.destroy(), 2200);
        return NOTHING;
      });
      const clock = new Stopwatch();
      assert.equal(await client.read(0, BAD, 1), -EIO);
      clock.requireTime(4000, 6000);
      assert.equal(server.connections, 2, 'it was sent twice');
    });
  });
});

describe('a request that always ends its server', { skip: ringRefusal(), timeout: 60_000 }, () => {
  test('does not take others with it that were sent together with it, and waits without a limit', async () => {
    await withClient({}, async (client, server) => {
      server.lie = atBadSector((_request, _honest, socket) => {
        // What came with it, before and behind it, is lost too.
        socket.destroy();
        return NOTHING;
      });
      const bad = client.read(0, BAD, 1);
      const others = Array.from({ length: SLOTS - 1 }, (_, slot) => client.read(slot + 1, 0, 128));
      for (const other of others) assert.ok(Buffer.isBuffer(await other));
      const before = server.connections;
      while (server.connections < before + 2) await sleep(20);
      server.lie = (_request, honest) => honest;
      assert.ok(Buffer.isBuffer(await bad));
    });
  });
});

describe('with --request_timeout', { skip: ringRefusal(), timeout: 60_000 }, () => {
  test('a connection that does not answer a request is made again, and the request is served on the next one', async () => {
    await withClient({ request_timeout: '1' }, async (client, server) => {
      server.lie = atBadSector(() => NOTHING);
      let isOver = false;
      const others = served(client, () => isOver);
      const clock = new Stopwatch();
      const stuck = client.read(0, BAD, 1);
      await sleep(800);
      assert.equal(server.connections, 1);
      server.lie = (_request, honest) => honest;
      assert.ok(Buffer.isBuffer(await stuck));
      clock.requireTime(1000, 1800);
      isOver = true;
      assert.ok((await others) > 20, 'other requests were answered all the time');
      assert.equal(server.connections, 2);
    });
  });

  test('and --reconnect_delay, a request that is never answered fails', async () => {
    await withClient({ request_timeout: '1', reconnect_delay: '1' }, async (client, server) => {
      server.lie = () => NOTHING;
      const clock = new Stopwatch();
      assert.equal(await client.read(0, BAD, 1), -EIO);
      clock.requireTime(2000, 3500);
    });
  });

  test('a slow server is waited for, and so is one that reads slowly', async () => {
    await withClient({ request_timeout: '2' }, async (client, server) => {
      server.lie = (_request, honest, socket) => {
        setTimeout(() => socket.write(honest), 1500);
        return NOTHING;
      };
      const reads = Array.from({ length: SLOTS }, (_, slot) => client.read(slot, 0, 1));
      for (const read of reads) assert.ok(Buffer.isBuffer(await read));
      await sleep(2500);
      assert.equal(server.connections, 1, 'an idle connection is kept');
    });
  });

  test('a server that reads nothing is given up', async () => {
    await withClient({ request_timeout: '1' }, async (client, server) => {
      server.lie = (_request, _honest, socket) => {
        server.lie = (_next, honest) => honest;
        socket.pause();
        return NOTHING;
      };
      const data = Buffer.alloc(LARGEST);
      const writes = Array.from({ length: SLOTS }, (_, slot) => client.write(slot, (slot * LARGEST) / 512, data));
      assert.deepEqual(
        await Promise.all(writes),
        Array.from({ length: SLOTS }, () => LARGEST),
      );
      assert.equal(server.connections, 2);
    });
  });
});

const NOTHING = Buffer.alloc(0);

function atBadSector(lie: Lie): Lie {
  return (request, honest, socket) => (request.offset === BigInt(BAD * 512) ? lie(request, honest, socket) : honest);
}

/** Reads on and on in another slot, until it is over. Returns how often. */
async function served(client: NbdClient, isOver: () => boolean): Promise<number> {
  let reads = 0;
  for (; !isOver(); reads++) {
    assert.ok(Buffer.isBuffer(await client.read(1, 0, 1)));
  }
  return reads;
}

function ended(socket: { end: () => void }): Buffer {
  socket.end();
  return NOTHING;
}

async function withClient(
  options: Readonly<Record<string, string>>,
  use: (client: NbdClient, server: HostileServer) => Promise<void>,
): Promise<void> {
  const server = await hostileServer(SOCKET, DISK);
  const client = new NbdClient(SLOTS, LARGEST);
  try {
    await client.connect({ uri: `nbd+unix:///?socket=${SOCKET}`, ...options });
    await use(client, server);
  } finally {
    client.close();
    await server.close();
  }
}
