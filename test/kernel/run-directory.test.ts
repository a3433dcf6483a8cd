/**
 * A /run that is full or read-only: no server dies of it, no device is kept for ever, and nothing is left behind. Logs do not
 * fill it.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { deviceIds, leftovers, runFiles } from '../../tools/guest/leftovers.ts';
import { type Ran, run as ublkts } from '../../tools/guest/ublkts.ts';
import { blockDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { inBackground } from './support/background.ts';
import { endServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG } from './support/long.ts';

const FAILED = 1;
const PAGE = 4096;
const NAME = 'full';
const FILL = '/run/fill';
/** A mount namespace in which all of /run is read-only. */
const READ_ONLY = ['unshare', '--mount', 'sh', '-c'];
const READ_ONLY_THROUGH = [...READ_ONLY, 'mount --bind /run /run; mount -o remount,bind,ro /run; exec "$@"', 'sh'];

const { addDevice, deleteAllDevices, deleteDevice, startServer, stopDevice } = library;
const SMALL = { target: 'null', queues: 1, depth: 8 };

describe('a /run that is full', { skip, timeout: 600_000 }, () => {
  let pid = 0;

  before(async () => {
    sh('mount -o remount,size=2M /run');
    ({ pid } = await startServer({ name: NAME }));
    await addDevice({ ...SMALL, id: 1, server: NAME });
    await blockDevice('/dev/ublkb1');
  });
  afterEach(() => makeRoom());
  after(async () => {
    makeRoom();
    await endServer(NAME, pid);
    sh('mount -o remount,size=50% /run');
  });
  leavesNothingBehind();

  // A record, three pages of counters, and the record once more need five.
  for (const pages of LONG ? [0, 1, 2, 3, 4] : [0, 2, 4]) {
    test(`a resident server with ${pages} free pages refuses a device, and serves its others`, async () => {
      leaveFree(pages * PAGE);
      expectRefusal(await ublkts(`add --server=${NAME} -t null -q 2 -n 5`), /5\.(?:json|stats) cannot be written/);
      makeRoom();
      expectServed();
    });
  }

  for (const pages of LONG ? [0, 1, 3] : [1]) {
    test(`a server of its own with ${pages} free pages: the device is refused, and nothing of it is left`, async () => {
      leaveFree(pages * PAGE);
      expectRefusal(await ublkts('add -t null -q 2 -n 5'), /5\.(?:json|stats) cannot be written/);
      makeRoom();
      expectServed();
    });
  }

  test('all of the counters of registered buffers have their room when the device is made', async () => {
    leaveFree(20 * PAGE);
    const added = await ublkts(`add --server=${NAME} -t null --shmem_zc -q 1 -n 5`);
    assert.equal(added.code, 0, added.stderr);
    sh(`blocks=$(stat -c %b /run/ublkts/5.stats); bytes=$(stat -c %s /run/ublkts/5.stats); ((blocks * 512 == bytes))`);
    await deleteDevice(5);
    leaveFree(10 * PAGE);
    expectRefusal(await ublkts(`add --server=${NAME} -t null --shmem_zc -q 1 -n 5`), /5\.stats cannot be written/);
    makeRoom();
    expectServed();
  });

  test('a device that is stopped leaves its server, and is deleted', async () => {
    await addDevice({ ...SMALL, id: 3, server: NAME });
    await whileFull(async () => stopDevice(3));
    await deleteDevice(3);
    expectServed();
  });

  test('a device whose end cannot be written down leaves its server, which says so, and is deleted', async () => {
    await addDevice({ ...SMALL, id: 3, server: NAME });
    const unfinished = '/run/ublkts/unfinished';
    // A page of udev's may become free at any time. Here, no record can be written for certain.
    sh(`mount --bind ${unfinished} ${unfinished}; mount -o remount,bind,ro ${unfinished}`);
    try {
      await stopDevice(3);
      await until('the device has left', () => logOfServer().includes('device 3 has left'));
    } finally {
      sh(`umount ${unfinished}`);
    }
    assert.match(
      logOfServer(),
      /the record of device 3 does not say how its server ended: \/run\/ublkts\/3\.json cannot/,
    );
    await deleteDevice(3);
    expectServed();
  });

  test('del needs no room: of a device with a server of its own, and of a resident one', async () => {
    await addDevice({ ...SMALL, id: 3, server: NAME });
    await addDevice({ ...SMALL, id: 4 });
    await whileFull(async () => {
      const { code, stderr } = await ublkts('del 3 4');
      assert.deepEqual([code, stderr], [0, '']);
    });
    expectServed();
  });

  test('del waits for a server that still closes the target, and names who has the device open', async () => {
    await addDevice({ ...SMALL, id: 4 });
    await blockDevice('/dev/ublkb4');
    const opened = openSync('/dev/ublkb4', 'r');
    await whileFull(async () => {
      const { code, stderr } = await ublkts('del -n 4');
      assert.equal(code, 6, stderr);
      assert.match(stderr, new RegExp(`process ${process.pid}|pid ${process.pid}`));
      closeSync(opened);
      await until('the device is gone', () => !deviceIds().includes(4));
    });
    sh('ublkts doctor --fix');
    expectServed();
  });

  test('a server that cannot write its log serves on', async () => {
    const { id, path, ublksrv_pid: own } = await addDevice({ ...SMALL, id: 4 });
    await blockDevice(path);
    const opened = openSync(path, 'r');
    await whileFull(async () => {
      process.kill(own, 'SIGTERM');
      // It looks for users three times, and then says that the device is in use.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      sh(`dd if=${path} of=/dev/null bs=4k count=16 iflag=direct status=none`);
    });
    closeSync(opened);
    assert.ok(existsSync(`/proc/${own}`), 'the server lives');
    await deleteDevice(id);
  });

  test('serve says what is full, and leaves nothing', async () => {
    await whileFull(async () => {
      expectRefusal(await ublkts('serve --name other'), /server-other\.lock cannot be written/);
    });
    expectServed();
  });

  test('doctor says that it is full', async () => {
    leaveFree(0);
    const { checks } = JSON.parse((await ublkts('doctor --json')).stdout) as {
      checks: { name: string; status: string; hint: string }[];
    };
    const found = checks.find(({ name }) => name === 'run directory');
    assert.equal(found?.status, 'fail');
    assert.match(found.hint, /df \/run/);
  });

  /** The server, its device 1, and nothing else. */
  function expectServed(): void {
    assert.ok(existsSync(`/proc/${pid}`), 'the server lives');
    sh('dd if=/dev/ublkb1 of=/dev/null bs=4k count=16 iflag=direct status=none');
    assert.deepEqual(deviceIds(), [1]);
    const others = runFiles().filter((path) => !/\/(?:1\.\w+|server-full\.\w+)$/.test(path));
    assert.deepEqual(others, []);
  }
});

describe('a /run that is read-only', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  afterEach(() => deleteAllDevices());

  test('add and serve say so and leave nothing, and doctor does', async () => {
    const setting = { through: READ_ONLY_THROUGH };
    // The directories are made by whoever comes first.
    sh('ublkts del -a; rm -rf /run/ublkts /run/ublk');
    expectReadOnly(await ublkts('add -t null -n 5', setting), /\/run\/ublkts cannot be made/, '/run');
    sh('mkdir -p /run/ublkts/unfinished /run/ublk');
    expectReadOnly(await ublkts('add -t null -n 5', setting), /\/run\/ublkts\/5\.json cannot be written/);
    expectReadOnly(await ublkts('serve --name other', setting), /server-other\.log cannot be written/);
    assert.deepEqual(await leftovers(), []);
    sh('mkdir /run/ublkts/9.program');
    const { stdout } = await ublkts('doctor --fix', setting);
    sh('rmdir /run/ublkts/9.program');
    assert.match(stdout, /fail run directory +\/run\/ublkts is on a read-only/);
    assert.match(stdout, /fail files +\/run\/ublkts\/9\.program cannot be removed: Read-only file system/);
  });

  test('a /dev/shm that is read-only has no room for a disk in memory, which add says', async () => {
    sh('rm -rf /dev/shm/ublkts');
    const through = [
      ...READ_ONLY,
      'mount --bind /dev/shm /dev/shm; mount -o remount,bind,ro /dev/shm; exec "$@"',
      'sh',
    ];
    expectReadOnly(
      await ublkts('add -t ram --size 1M -n 5', { through }),
      /\/dev\/shm\/ublkts cannot be made/,
      '/dev/shm',
    );
  });

  test('del deletes the device, and says that its files are still there', async () => {
    await addDevice({ ...SMALL, id: 5 });
    const { code, stderr } = await ublkts('del -n 5', { through: READ_ONLY_THROUGH });
    assert.equal(code, FAILED, stderr);
    assert.match(stderr, /device 5 is deleted, but \/run\/ublkts\/5\.\w+ cannot be removed: Read-only[^]*doctor --fix/);
    assert.deepEqual(deviceIds(), []);
    sh('ublkts doctor --fix');
    assert.deepEqual(await leftovers(), []);
  });
});

describe('the log of a server', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('is shortened when it is long, whoever writes to it, and goes on', async () => {
    const { pid } = await startServer({ name: NAME });
    await addDevice({ ...SMALL, id: 5 });
    try {
      for (const log of ['/run/ublkts/5.log', `/run/ublkts/server-${NAME}.log`]) {
        appendFileSync(log, 'a line of a target\n'.repeat(500_000));
        await until(`${log} is short`, () => statSync(log).size < 2 << 20, 60);
      }
      await addDevice({ ...SMALL, id: 6, server: NAME });
      assert.match(
        logOfServer(),
        /^\S+ this log had \d+ bytes: only its end is kept\na line[^]*device 6 \(null\) is live/,
      );
    } finally {
      await deleteAllDevices();
      await endServer(NAME, pid);
    }
  });
});

function logOfServer(): string {
  return readFileSync(`/run/ublkts/server-${NAME}.log`, 'utf8');
}

function expectRefusal({ code, stderr }: Ran, message: RegExp): void {
  assert.equal(code, FAILED, stderr);
  assert.match(stderr, message);
  assert.match(stderr, /: No space left on device .*\nhint: make room there: `df \/run\/ublkts`/);
}

function expectReadOnly({ code, stderr }: Ran, message: RegExp, directory = '/run/ublkts'): void {
  assert.equal(code, FAILED, stderr);
  assert.match(stderr, message);
  assert.match(stderr, new RegExp(`: Read-only file system .*\nhint: \`findmnt -T ${directory}\``));
}

/** Fills /run but for `bytes`. */
function leaveFree(bytes: number): void {
  makeRoom();
  run(`dd if=/dev/zero of=${FILL} bs=${PAGE}`);
  truncateSync(FILL, Number(sh(`stat -c %s ${FILL}`)) - bytes);
}

function makeRoom(): void {
  for (const name of readdirSync('/run').filter((found) => found.startsWith('fill'))) sh(`rm -f /run/${name}`);
}

/** Whatever becomes free is taken at once. */
async function whileFull(act: () => Promise<void>): Promise<void> {
  const stop = '/tmp/stop-filling';
  const fill = `head -c 65536 /dev/zero >> ${FILL} || head -c ${PAGE} /dev/zero >> ${FILL}2 || sleep .01`;
  const filling = inBackground(
    `dd if=/dev/zero of=${FILL} bs=64k status=none || true; until [ -e ${stop} ]; do ${fill}; done 2> /dev/null`,
  );
  try {
    await until('/run is full', () => statfsSync('/run').bavail === 0, 60);
    await act();
  } finally {
    writeFileSync(stop, '');
    await filling.succeeded;
    sh(`rm -f ${stop}`);
    makeRoom();
  }
}
