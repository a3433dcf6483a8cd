/** The target nbd on a real driver, with a server that sends garbage, dies of a request, or does not answer one. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { NBD_CMD_FLUSH, NBD_CMD_READ, NBD_CMD_WRITE } from '../../src/targets/nbd/protocol/numbers.ts';
import { encodeChunk, encodeDataChunk, encodeGreeting, encodeSimpleReply } from '../targets/nbd/server-side.ts';
import { type HostileServer, hostileServer, type Lie } from '../targets/nbd/servers.ts';
import { describeDevice, leavesNothingBehind, sh, skip, withDevice } from './guest.ts';
import { inBackground } from './support/background.ts';
import { until } from './support/devices.ts';
import { LONG, onlyLong } from './support/long.ts';

const FOLDER = '/dev/shm/nbd-hostile';
const SOCKET = `${FOLDER}/socket`;
const IMAGE = `${FOLDER}/image`;
const DISK = 4 << 20;
const DEPTH = 16;
/** The protocol's own number. */
const EIO = 5;
const URI = `nbd+unix:///?socket=${SOCKET}`;

const GARBAGE_BYTES = 10_000_000;
/** Each one costs a connection, which is made again after a pause that grows. */
const PIECE = 2_500_000;
/** The memory of the device's server may grow by so much: what is left of its first connections. */
const GROWTH_KB = 12 << 10;

const CASES = [
  { dataPath: 'copy', targetOptions: {} },
  ...(LONG
    ? [
        { dataPath: 'auto_zc', targetOptions: {} },
        { dataPath: 'copy', targetOptions: { structured_replies: 'yes' } },
        ...['get_data', 'user_copy', 'batch+copy', 'batch+auto_zc'].map((dataPath) => ({
          dataPath,
          targetOptions: {},
        })),
      ]
    : []),
];

describe('a hostile NBD server', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} && head -c ${DISK} /dev/urandom > ${IMAGE}`);

  for (const { dataPath, targetOptions } of CASES) {
    const how = [dataPath, ...Object.keys(targetOptions)].join(', ');
    test(`${how}: ten million bytes of garbage end connections, and neither the device nor its server`, async (t) => {
      await hostile(dataPath, { ...targetOptions }, async ({ server, id, path, pid }) => {
        await beside(`dd if=${IMAGE} of=${path} bs=1M oflag=direct status=none`);
        await lying(server, path, PIECE);
        const before = residentKilobytes(pid);
        await lying(server, path, GARBAGE_BYTES);
        const after = residentKilobytes(pid);
        t.diagnostic(`${how}: the server has ${before} kB, then ${after} kB; ${server.connections} connections`);
        assert.ok(after - before < GROWTH_KB, `it has grown from ${before} to ${after} kB`);
        await beside(`cmp <(dd if=${path} bs=64k iflag=direct status=none) ${IMAGE}`);
        assert.equal((await describeDevice(id)).io?.errors, 0);
        assert.match(logOf(id), /is lost: the server does not follow the protocol: [a-z]/);
        assert.match(logOf(id), /is not back yet: cannot use nbd\+unix:.*: [a-z]/);
      });
    });
  }

  test('one that sends nothing but garbage: requests fail when --reconnect_delay is over', async () => {
    await hostile('copy', { reconnect_delay: '1' }, async ({ server, id, path }) => {
      server.lie = () => randomBytes(PIECE);
      server.garbage = () => randomBytes(PIECE);
      await beside(`! dd if=${path} of=/dev/null bs=4k count=1 iflag=direct 2> ${FOLDER}/error`);
      assert.match(readFileSync(`${FOLDER}/error`, 'utf8'), /Input\/output error/);
      assert.equal((await describeDevice(id)).connections?.[0]?.state, 'failing');
      server.lie = (_request, honest) => honest;
      server.garbage = null;
      await until('it is forgiven', async () => (await describeDevice(id)).connections?.[0]?.state === 'up', 60);
      await beside(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    });
  });

  for (const [where, bytes] of [
    ['in the header', 8],
    ['behind the header', 16],
    ['in the data', 16 + 1000],
  ] as const) {
    test(`a read is completed although its server stops ${where} of the next reply`, async () => {
      await hostile('auto_zc', {}, async ({ server, path }) => {
        const goOn = stopsInSecondRead(server, bytes);
        let completed = 0;
        const reads = BLOCKS.map((block) => readsZeroes(path, block).then(() => completed++));
        await until('one read is completed', () => completed === 1);
        goOn();
        await Promise.all(reads);
      });
    });
  }

  test('a read is completed although garbage follows its reply, and is not sent again', async () => {
    await hostile('auto_zc', {}, async ({ server, path, id }) => {
      const asked: bigint[] = [];
      let first = Buffer.alloc(0);
      server.lie = (request, honest) => {
        if (!isReadOfBlocks(request)) return honest;
        asked.push(request.offset);
        if (asked.length === 2) return Buffer.concat([first, Buffer.alloc(16, 0xff)]);
        if (asked.length > 2) return honest;
        first = Buffer.from(honest);
        return Buffer.alloc(0);
      };
      await Promise.all(BLOCKS.map((block) => readsZeroes(path, block)));
      assert.match(logOf(id), /is lost: the server does not follow the protocol/);
      assert.deepEqual(asked, [asked[0], asked[1], asked[1]]);
    });
  });

  test('a flush that its server could not carry out fails, and is not sent again to a server that may know nothing of it', async () => {
    await hostile('copy', {}, async ({ server, path }) => {
      let flushes = 0;
      server.lie = ({ command, cookie }, honest) => {
        if (command !== NBD_CMD_FLUSH) return honest;
        flushes++;
        return flushes === 1 ? encodeSimpleReply(cookie, EIO) : honest;
      };
      await beside(`! dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct conv=fsync 2> ${FOLDER}/error`);
      assert.match(readFileSync(`${FOLDER}/error`, 'utf8'), /Input\/output error/);
      assert.equal(server.connections, 2, 'that of add, and that of the device');
    });
  });

  test('a request that its server dies of twice is answered while a load goes on that always has requests waiting', {
    skip: onlyLong,
  }, async () => {
    await hostile(
      'auto_zc',
      {},
      async ({ server, path }) => {
        let deaths = 2;
        let writes = 0;
        server.lie = ({ command, offset }, honest, socket) => {
          if (command === NBD_CMD_WRITE) writes++;
          if (command !== NBD_CMD_WRITE || offset !== 0n || deaths === 0) return honest;
          deaths--;
          socket.destroy();
          return Buffer.alloc(0);
        };
        const fio = `fio --name=load --filename=${path} --direct=1 --ioengine=libaio --iodepth=96 --rw=randwrite --bs=4k`;
        const load = inBackground(`${fio} --offset=1M --size=3M --time_based --runtime=25`);
        await until('the load is under way', () => writes > 200);
        await beside(`timeout 15 dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct status=none`);
        assert.equal(deaths, 0);
        await load.succeeded;
      },
      128,
    );
  });

  test('a request that its server dies of fails after --reconnect_delay, and one that it never answers after both limits', async () => {
    await hostile('auto_zc', { reconnect_delay: '5', request_timeout: '2' }, async ({ server, id, path }) => {
      // Each answer to one of them says that the connection is good: without any, all requests would fail after 5 s.
      const others = inBackground(
        `until [ -e ${FOLDER}/enough ]; do dd if=${path} of=/dev/null bs=64k skip=32 iflag=direct status=none; sleep 0.1; done`,
      );
      server.lie = atTheStart((_request, _honest, socket) => {
        socket.destroy();
        return Buffer.alloc(0);
      });
      const took = await failingRead(path);
      assert.ok(took >= 5 && took < 30, `it took ${took} s`);
      server.lie = atTheStart(() => Buffer.alloc(0));
      // The time of a request that comes while there is no connection runs from then on.
      await until('it is back', async () => (await describeDevice(id)).connections?.[0]?.state === 'up', 60);
      const stuck = await failingRead(path);
      assert.ok(stuck >= 7 && stuck < 30, `it took ${stuck} s`);
      sh(`touch ${FOLDER}/enough`);
      await others.succeeded;
      assert.match(logOf(id), /is lost: a request has not been answered for 2 s; requests wait for 5 s/);
    });
  });
});

const BLOCKS = [300, 301] as const;

/** Not what udev reads of a new device. */
function isReadOfBlocks({ command, offset }: Parameters<Lie>[0]): boolean {
  return command === NBD_CMD_READ && BLOCKS.some((block) => offset === BigInt(block * 4096));
}

async function readsZeroes(path: string, block: number): Promise<void> {
  const read = `dd if=${path} bs=4k skip=${block} count=1 iflag=direct status=none`;
  await beside(`cmp <(${read}) <(head -c 4k /dev/zero)`);
}

/** The server answers the reads of BLOCKS at once, and stops so many bytes after the first reply. The result lets it go on. */
function stopsInSecondRead(server: HostileServer, bytes: number): () => void {
  const replies: Buffer[] = [];
  const kept: Buffer[] = [];
  let goOn: (() => void) | undefined;
  server.lie = (request, honest, socket) => {
    if (!isReadOfBlocks(request)) return honest;
    replies.push(honest);
    const [first] = replies;
    if (first === undefined || replies.length < 2) return Buffer.alloc(0);
    const both = Buffer.concat(replies);
    kept.push(both.subarray(first.length + bytes));
    server.lie = (_request, next) => {
      kept.push(next);
      return Buffer.alloc(0);
    };
    goOn = () => {
      server.lie = (_request, next) => next;
      socket.write(Buffer.concat(kept));
    };
    return both.subarray(0, first.length + bytes);
  };
  return () => goOn?.();
}

interface Attacked {
  readonly server: HostileServer;
  readonly id: number;
  readonly path: string;
  readonly pid: number;
}

async function hostile(
  dataPath: string,
  targetOptions: Readonly<Record<string, string>>,
  use: (attacked: Attacked) => Promise<void>,
  depth = DEPTH,
): Promise<void> {
  const server = await hostileServer(SOCKET, DISK);
  try {
    const options = { target: 'nbd', targetOptions: { uri: URI, ...targetOptions }, queues: 1, depth, dataPath };
    await withDevice(options, ({ id, path, ublksrv_pid: pid }) => use({ server, id, path, pid }));
  } finally {
    await server.close();
  }
}

/** Lets the server send so many bytes of garbage, in answers and in place of greetings, while the device is read. */
async function lying(server: HostileServer, path: string, bytes: number): Promise<void> {
  const quota = { left: bytes };
  const take = (garbage: Buffer): Buffer => {
    quota.left -= garbage.length;
    return garbage;
  };
  const lied = new WeakSet();
  server.lie = (request, honest, socket) => {
    if (request.command !== NBD_CMD_READ || quota.left <= 0 || lied.has(socket)) return honest;
    lied.add(socket);
    // The next client gets garbage too, and the one after it a greeting.
    server.garbage =
      quota.left <= PIECE
        ? null
        : () => {
            server.garbage = null;
            return take(
              Buffer.concat([randomInt(2) === 0 ? encodeGreeting() : Buffer.alloc(0), randomBytes(PIECE / 2)]),
            );
          };
    return take(LIES[randomInt(LIES.length)]!(request, honest, socket));
  };
  for (let round = 0; quota.left > 0; round++) {
    assert.ok(round < 50, `${quota.left} bytes are left`);
    // What is read is what the server says, which is garbage.
    await beside(`dd if=${path} of=/dev/null bs=256k iflag=direct status=none`);
  }
  server.lie = (_request, honest) => honest;
  server.garbage = null;
}

/** Garbage that begins as noise, as data, and as replies that are nearly right. */
const LIES: readonly Lie[] = [
  () => randomBytes(PIECE),
  (_request, honest) => Buffer.concat([honest.subarray(0, 16), randomBytes(PIECE)]),
  (_request, honest) => Buffer.concat([honest, randomBytes(PIECE)]),
  () => frames(() => encodeSimpleReply((BigInt(randomInt(64)) << 32n) | BigInt(randomInt(2 * DEPTH)), randomInt(2))),
  ({ cookie }) => frames(() => encodeChunk(cookie, randomInt(4), randomInt(2), randomBytes(12), randomInt(2 ** 32))),
  ({ cookie, offset, length }) =>
    frames(() => encodeDataChunk(cookie, 0, offset + BigInt(randomInt(length)), randomBytes(4096))),
];

function frames(frame: () => Buffer): Buffer {
  const all = Array.from({ length: 64 }, frame);
  return Buffer.concat([...all, randomBytes(PIECE)]);
}

function atTheStart(lie: Lie): Lie {
  return (request, honest, socket) =>
    request.command === NBD_CMD_READ && request.offset === 0n ? lie(request, honest, socket) : honest;
}

/** Reads the first block, which must fail. Returns after how many seconds. */
async function failingRead(path: string): Promise<number> {
  const began = performance.now();
  await beside(`! dd if=${path} of=/dev/null bs=4k count=1 iflag=direct 2> ${FOLDER}/error`);
  assert.match(readFileSync(`${FOLDER}/error`, 'utf8'), /Input\/output error/);
  return (performance.now() - began) / 1000;
}

/** Runs a script that must succeed while this process goes on: it has the server. */
async function beside(script: string): Promise<void> {
  await inBackground(script).succeeded;
}

function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function logOf(id: number): string {
  return readFileSync(`/run/ublkts/${id}.log`, 'utf8');
}
