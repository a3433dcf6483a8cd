/**
 * Memory that runs out. In a control group that has none left for a server's I/O buffers, the server is not killed, and no
 * write is acknowledged that was not carried out. A device can carry swap: with UBLKTS_LONG=1, a guest that is short of
 * memory swaps to a loop device for minutes, which froze a server without locked memory.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { availableMb, withLittleMemory } from '../../tools/guest/little-memory.ts';
import { startVerifier } from '../../tools/guest/start-verifier.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { type Ran, run as ublkts } from '../../tools/guest/ublkts.ts';
import type { Verdict } from '../../tools/guest/verifier.ts';
import { describeDevice, leavesNothingBehind, sh, skip } from './guest.ts';
import { threadsNamed } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const { ADD_DEFAULTS, addDevice, deleteDevice } = library;

const GROUP = '/sys/fs/cgroup/small';
const FILE = '/var/tmp/memory.img';
const MiB = 1 << 20;
/** The block layer makes requests of up to 128 pages of any memory. */
const BLOCK = MiB / 2;
const DEPTH = 64;
/** Enough for `add` and a server. */
const ROOM = 256 * MiB;
/** What the group has left when the device is live: as much as `add` sets aside, and less than the buffers. */
const LEFT = 24 * MiB;
const UNSUPPORTED = 3;

const SWAP_FILE = '/var/tmp/swap.img';
const SWAP_MB = 700;
/** What is left to the guest, and how much more than that is written. */
const LEFT_MB = 500;
const MORE_MB = 250;
const READ_SECONDS = 240;
const NO_SWAP = '/sys/fs/cgroup/no-swap';
const long = skip || onlyLong;

describe('a control group without memory', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  before(() => {
    sh(`echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir -p ${GROUP}; echo 0 > ${GROUP}/memory.swap.max`);
    sh(`truncate -s 64M ${FILE}`);
  });
  after(() => sh(`rm ${FILE}; rmdir ${GROUP}`));

  test('add refuses buffers that the group has no memory for', async () => {
    const refused = await addInGroup('copy', ROOM / BLOCK);
    assert.equal(refused.code, UNSUPPORTED, refused.stderr);
    assert.match(refused.stderr, /come to 256M, and .* is available in the control group/);
  });

  for (const dataPath of LONG ? ['copy', 'get_data', 'user_copy'] : ['copy']) {
    test(`${dataPath}: buffers have their memory before the device is live`, async () => {
      await withDevice(dataPath, async () => {
        const { wrong, failures, writes } = await work();
        assert.deepEqual({ wrong, failures }, { wrong: [], failures: [] });
        assert.ok(writes > 0);
      });
    });
  }

  test('shared memory that its client has paid for stays on the account of the client, and no more is filled than there is', async () => {
    const [paid, holes] = ['/dev/shm/memory-paid', '/dev/shm/memory-holes'];
    sh(`head -c ${LEFT + 8 * MiB} /dev/zero > ${paid}; truncate -s ${LEFT + 8 * MiB} ${holes}`);
    try {
      await withDevice('auto_zc', async () => {
        const before = readFileSync(`${GROUP}/memory.events`, 'utf8');
        const registered = await ublkts(`reg-buf -n 0 ${paid}`);
        assert.equal(registered.code, 0, registered.stderr);
        const refused = await ublkts(`reg-buf -n 0 ${holes}`);
        assert.match(refused.stderr, /bytes more of memory and .* are available .*ENOMEM/);
        assert.equal(readFileSync(`${GROUP}/memory.events`, 'utf8'), before);
        // Over memory.high nothing fails, and the server sleeps for every page.
        await ublkts('unreg-buf -n 0 -a');
        limit('max');
        sh(`echo $(($(cat ${GROUP}/memory.current) + ${LEFT})) > ${GROUP}/memory.high`);
        const inTime = await ublkts(`reg-buf -n 0 ${paid}`);
        assert.equal(inTime.code, 0, inTime.stderr);
        assert.match(
          (await ublkts(`reg-buf -n 0 ${holes}`)).stderr,
          /bytes more of memory and .* are available .*ENOMEM/,
        );
        assert.equal(readFileSync(`${GROUP}/memory.events`, 'utf8'), before);
        sh(`echo max > ${GROUP}/memory.high`);
      });
    } finally {
      sh(`rm ${paid} ${holes}`);
    }
  });
});

const HOLDS_SWAP = /swap\.img holds a swap area: .* unless it is added with mlock/;

describe('swap', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();

  test('add and doctor say that a device with swap needs mlock', async () => {
    sh(`truncate -s ${SWAP_MB}M ${SWAP_FILE}; mkswap -q ${SWAP_FILE}`);
    const options = { ...ADD_DEFAULTS, target: 'loop', queues: 1, depth: 8, files: [SWAP_FILE] };
    const { id, path, notes, ublksrv_pid } = await addDevice(options);
    assert.match(notes.join('\n'), HOLDS_SWAP);
    assert.deepEqual(threadsNamed(ublksrv_pid, 'libuv-worker'), [], 'it has no pool of threads for one read');
    sh(`swapon ${path}`);
    const { stdout } = await ublkts('doctor');
    assert.match(stdout, new RegExp(`swap.*on device ${id}, added without --mlock`));
    sh(`swapoff ${path}`);
    await deleteDevice(id);
    const locked = await addDevice({ ...options, mlock: true });
    assert.deepEqual(
      locked.notes.filter((note) => note.includes('swap')),
      [],
    );
    await deleteDevice(locked.id);
    const server = await library.openServer({ name: 'swap' });
    const resident = await addDevice({ ...options, server: 'swap' });
    assert.match(resident.notes.join('\n'), HOLDS_SWAP);
    await deleteDevice(resident.id);
    await server.end();
  });

  test('swap on a loop device with mlock: minutes of swapping in and out, and the data is right', {
    skip: long,
  }, async () => {
    sh(`truncate -s ${SWAP_MB}M ${SWAP_FILE}; mkswap -q ${SWAP_FILE}; mkdir -p ${NO_SWAP} /mnt/filled`);
    sh(`echo +memory > /sys/fs/cgroup/cgroup.subtree_control; echo 0 > ${NO_SWAP}/memory.swap.max`);
    sh(`(echo 0 > ${NO_SWAP}/cgroup.procs; exec ublkts add -t loop -q 1 -d 32 --mlock -n 0 ${SWAP_FILE}) > /dev/null`);
    sh('swapon /dev/ublkb0');
    try {
      await withLittleMemory(LEFT_MB, async () => {
        const megabytes = Math.round(availableMb()) + MORE_MB;
        sh(`mount -t tmpfs -o size=100% none /mnt/filled`);
        const written = sh(`head -c ${megabytes}M < <(yes ublkts) | tee /mnt/filled/file | sha256sum`);
        assert.ok(swapped('pswpout') > 0, 'something went to swap');
        let passes = 0;
        for (const end = Date.now() + READ_SECONDS * 1000; Date.now() < end; passes++)
          assert.equal(sh('timeout 300 sha256sum < /mnt/filled/file'), written);
        const { ublksrv_pid: pid } = await describeDevice(0);
        assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /VmSwap:\s+0 kB/);
        process.stdout.write(
          `# ${megabytes} MB read ${passes} times, ${swapped('pswpin') >> 8} MB in, ${swapped('pswpout') >> 8} MB out\n`,
        );
      });
    } finally {
      sh('umount /mnt/filled || true; swapoff /dev/ublkb0');
      await deleteDevice(0);
      sh(`rmdir ${NO_SWAP}; rm ${SWAP_FILE}`);
    }
  });
});

/** A device whose server can have only little more memory than it has when the device is live. */
async function withDevice(dataPath: string, use: () => Promise<void>): Promise<void> {
  // The verifier knows nothing of what another one has written.
  sh(`truncate -s 0 ${FILE}; truncate -s 64M ${FILE}`);
  const { code, stderr } = await addInGroup(dataPath, DEPTH);
  assert.equal(code, 0, stderr);
  limit(Number(readFileSync(`${GROUP}/memory.current`, 'utf8')) + LEFT);
  await tidied(use, async () => {
    limit('max');
    await deleteDevice(0);
  });
}

function addInGroup(dataPath: string, depth: number): Promise<Ran> {
  limit(ROOM);
  const through = ['bash', '-c', `echo 0 > ${GROUP}/cgroup.procs; exec "$@"`, 'bash'];
  const size = `--shmem_zc -q 1 -d ${depth} --max_io_buf_bytes ${BLOCK}`;
  return ublkts(`add -t loop ${size} --data_path ${dataPath} -n 0 ${FILE}`, { through });
}

function limit(bytes: number | 'max'): void {
  sh(`echo ${bytes} > ${GROUP}/memory.max`);
}

/** Writes and reads with requests that fill every buffer. */
async function work(): Promise<Verdict> {
  const options = ['--block', String(BLOCK), '--at-once', String(DEPTH)];
  const client = await startVerifier('/dev/ublkb0', 2 * DEPTH, options);
  await sleep(3000);
  return client.stop();
}

/** Pages that went in or out since the guest's start. */
function swapped(name: 'pswpin' | 'pswpout'): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);
}
