/**
 * Many devices of one resident server on threads that they share. With UBLKTS_LONG=1: a thousand devices, ten thousand
 * devices that come and go, and ten servers that are killed.
 */
import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import type { DeviceReport, OpenServer } from '../../src/index.ts';
import { inParallel } from '../../src/device/in-parallel.ts';
import type { AddRequest } from '../../src/spec/options.ts';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, skip, verify } from './guest.ts';
import { fioUntilStopped } from './support/background.ts';
import { mappingsOf, threadsNamed, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG } from './support/long.ts';

const DEVICES = LONG ? 1000 : 16;
const CYCLES = LONG ? 10_000 : 6;
const ALIVE = LONG ? 50 : 3;
const KILLS = LONG ? 10 : 1;
const AT_ONCE = 8;
/** Reads of a disk that hangs, of which some may be in memory. The kernel has four workers per CPU unless it is told otherwise. */
const WAITING = 40;
const DIRECTORY = '/tmp/many';
/** Private memory that a device may take in the server, which is known when there are enough of them. */
const DEVICE_KB = 250;
const ENOUGH = 200;

/** What 32 requests of 512 KB need. */
const BUFFERS_KB = 16 << 10;

/** So that the machine has time for what else a test does: the start of fio costs more than the requests. */
const RATE = LONG ? '--rate_iops=3 --size=256k --loops=3' : '--rate_iops=300';

const plain = { target: 'null', queues: 1, depth: 32, quiet: true } satisfies Omit<AddRequest, 'server'>;

describe('a resident server with shared threads', { skip, timeout: LONG ? 21_600_000 : 300_000 }, () => {
  let server: OpenServer;

  before(async () => {
    sh(`mkdir -p ${DIRECTORY}`);
    server = await library.openServer({ name: 'many', threads: 2 });
  });
  // A test that fails leaves no device to the next one.
  afterEach(async () => {
    await library.deleteAllDevices();
  });
  after(async () => {
    await library.deleteAllDevices();
    await server.end();
  });
  // Behind the hook that ends the server: hooks run in the order in which they were registered.
  leavesNothingBehind();

  test(`has ${DEVICES} devices that can all be read, and takes little memory for each`, async () => {
    await startThreads(server);
    const before = held(server.pid);
    const added: DeviceReport[] = [];
    await inParallel(Array.from({ length: DEVICES }), AT_ONCE, async () => {
      const device = await server.add(plain);
      added.push(device);
      readFrom(device.path);
    });
    assert.equal(new Set(added.map(({ id }) => id)).size, DEVICES);
    const perDevice = (held(server.pid).privateKb - before.privateKb) / DEVICES;
    console.log(`${DEVICES} devices: ${perDevice.toFixed(0)} KB of private memory each`);
    if (DEVICES >= ENOUGH) assert.ok(perDevice < DEVICE_KB, `${perDevice} KB of private memory per device`);
    const listed = await library.listDevices();
    assert.equal(listed.filter(({ state, server: name }) => state === 'LIVE' && name === 'many').length, DEVICES);
    const metrics = sh('ublkts metrics');
    assert.equal(metrics.match(/^ublk_device_info\{[^}]*server="many"/gm)?.length, DEVICES);
    assert.equal(threadsNamed(server.pid, 'ublk-shared').length, 2);
    const { failed } = await library.deleteAllDevices();
    assert.deepEqual(failed, []);
    await letGo(server.pid, before);
  });

  test(`${CYCLES} devices come and go, and ${ALIVE} are written and verified meanwhile`, async () => {
    const kept = await Promise.all(Array.from({ length: ALIVE }, (_, index) => server.add(loop(index))));
    for (const { path } of kept) await blockDevice(path);
    const before = held(server.pid);
    const paths = kept.map(({ path }) => path);
    const writers = fioUntilStopped(paths, RATE);
    await addAndDelete(server, CYCLES);
    await writers.stop();
    await letGo(server.pid, before);
    assert.deepEqual(
      server.devices,
      kept.map(({ id }) => id).toSorted((a, b) => a - b),
    );
    await library.deleteAllDevices();
  });

  test('gives the memory of an idle device back while it serves another one, and nothing that was written is lost', async () => {
    const [idle, busy] = await Promise.all([0, 1].map((index) => server.add({ ...loop(index), dataPath: 'copy' })));
    assert.ok(idle !== undefined && busy !== undefined);
    for (const { path } of [idle, busy]) await blockDevice(path);
    const writer = fioUntilStopped(busy.path, RATE);
    try {
      const before = lockedKb(server.pid);
      // All requests are under way together, so that each has a buffer of its own.
      verify(idle.path, '--size=16M --bs=512k --iodepth=32 --iodepth_batch=32');
      const used = lockedKb(server.pid);
      assert.ok(used - before > BUFFERS_KB / 2, `${before} KB became ${used} KB`);
      // A device that udev reads from is not idle.
      sh('udevadm settle');
      await until('the buffers are given back', () => lockedKb(server.pid) < used - BUFFERS_KB / 2);
      verify(idle.path, '--size=4M');
    } finally {
      await writer.stop();
    }
  });

  test('serves the others on its threads while a disk hangs that many requests of a device wait for', async () => {
    sh(`modprobe loop; modprobe dm_mod; truncate -s 64M ${DIRECTORY}/below.img`);
    const disk = sh(`losetup --find --show ${DIRECTORY}/below.img`).trim();
    sh(`echo "0 131072 linear ${disk} 0" | dmsetup create many-below`);
    try {
      // A queue on each of the threads.
      const targetOptions = { buffered_io: '1' };
      const hung = await server.add({ target: 'loop', files: ['/dev/mapper/many-below'], targetOptions, queues: 2 });
      const good = await server.add({ ...loop(0), queues: 2 });
      for (const { path } of [hung, good]) await blockDevice(path);
      sh('udevadm settle; dmsetup suspend --nolockfs --noflush many-below');
      for (let block = 0; block < WAITING; block++) {
        run(`dd if=${hung.path} of=/dev/null bs=4k count=1 skip=${block * 200 + 99} iflag=direct > /dev/null 2>&1 &`);
      }
      await until('they wait for the disk', async () => inFlight(await describeDevice(hung.id)) > WAITING / 2);
      // Flushes and holes block, so the kernel does each on a worker.
      for (const cpu of [0, 1]) {
        sh(
          `timeout 60 taskset -c ${cpu} dd if=/dev/zero of=${good.path} bs=4k count=4 oflag=direct conv=fsync status=none`,
        );
        sh(`timeout 60 taskset -c ${cpu} blkdiscard -o 0 -l 1M ${good.path}`);
      }
    } finally {
      sh('dmsetup resume many-below');
      await library.deleteAllDevices();
      sh(`dmsetup remove --retry many-below; losetup -d ${disk}`);
    }
  });

  test(`${KILLS} times killed with ${ALIVE} devices that are written, it comes back with all of them`, async () => {
    const features: AddRequest['features'] = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'];
    const kept = await Promise.all(
      Array.from({ length: ALIVE }, (_, index) => server.add({ ...loop(index), features })),
    );
    for (const { path } of kept) await blockDevice(path);
    const paths = kept.map(({ path }) => path);
    const writers = fioUntilStopped(paths, RATE);
    for (let round = 1; round <= KILLS; round++) {
      const { pid } = server;
      const killed = performance.now();
      process.kill(pid, 'SIGKILL');
      await until('the kernel has taken the devices back', async () =>
        (await library.listDevices()).every(({ state }) => state === 'QUIESCED'),
      );
      const quiesced = performance.now();
      const { recovered, failed } = await library.recoverAllDevices();
      const back = performance.now();
      console.log(
        `kill ${round}: quiesced after ${ms(quiesced - killed)}, recovered after ${ms(back - quiesced)} more`,
      );
      assert.deepEqual([recovered.length, failed], [ALIVE, []]);
      server = await library.openServer({ name: 'many' });
      assert.notEqual(server.pid, pid);
      assert.equal(server.devices.length, ALIVE);
      assert.ok(threadsNamed(server.pid, 'ublk-shared').length > 0, 'its devices share threads again');
    }
    await writers.stop();
  });
});

function inFlight({ queues }: DeviceReport): number {
  return queues.reduce((sum, { in_flight }) => sum + (in_flight ?? 0), 0);
}

function loop(index: number): Omit<AddRequest, 'server'> {
  const file = `${DIRECTORY}/${index}.img`;
  sh(`truncate -s 16M ${file}`);
  return { target: 'loop', files: [file], queues: 1, depth: 32, quiet: true };
}

/** Makes the server start both of its threads, each of which it starts when it is first needed. */
async function startThreads(server: OpenServer): Promise<void> {
  const devices = [await server.add(plain), await server.add(plain)];
  for (const { id, path } of devices) {
    readFrom(path);
    await server.delete(id);
  }
}

async function addAndDelete(server: OpenServer, cycles: number): Promise<void> {
  await inParallel(Array.from({ length: cycles }), 2, async () => {
    const { id, path } = await server.add(plain);
    readFrom(path);
    await server.delete(id);
  });
}

function readFrom(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    assert.equal(readSync(fd, Buffer.alloc(4096)), 4096);
  } finally {
    closeSync(fd);
  }
}

function held(pid: number): { descriptors: number; mappings: number; privateKb: number } {
  assert.ok(existsSync(`/proc/${pid}`), 'the server lives');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    mappings: mappingsOf(pid),
    privateKb: Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]),
  };
}

/**
 * Private memory in the locked anonymous mappings, which are the I/O buffers. V8 takes 20 MB more for a while when it compiles
 * the loop of a thread, which would hide that buffers are given back.
 */
function lockedKb(pid: number): number {
  const mappings = readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const buffers = mappings.filter((text) => /^\S+ \S+ \S+ 00:00 0 *\n/.test(text) && /^VmFlags:.* lo\b/m.test(text));
  return buffers.reduce((sum, text) => sum + Number(/^Private_Dirty:\s+(\d+)/m.exec(text)?.[1]), 0);
}

function ms(time: number): string {
  return `${time.toFixed(0)} ms`;
}

/** Resolves when the server has nothing of the devices any more. Their memory goes last. */
async function letGo(pid: number, before: ReturnType<typeof held>): Promise<void> {
  await until('the server has closed all of them', () => held(pid).descriptors <= before.descriptors);
  await until('the server has unmapped all of them', () => held(pid).mappings <= before.mappings + 20);
}
