/**
 * Backing files whose file system does not answer: it is frozen (`fsfreeze -f`), or its disk is suspended (`dmsetup suspend`).
 * That must hold up the device that wants the file, and nobody else.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { UblkError } from '../../src/errors.ts';
import type { AddRequest } from '../../src/spec/options.ts';
import { BackingCalls } from '../../src/targets/backing-calls.ts';
import { describeDevice, leavesNothingBehind, sh, skip, verify } from './guest.ts';
import { inBackground } from './support/background.ts';
import { endServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';
import { silentFiles } from './support/silent-files.ts';

const NAME = 'hung';
const DIRECTORY = '/tmp/hung';
/** Where commands in the background say what they do. */
const SAID = `${DIRECTORY}/said`;
const SUSPEND = 'dmsetup suspend --nolockfs --noflush hung';
/** Prints the processes that make a call on a file for a command. */
const LEFT_BEHIND = `pgrep -f '^ublkts: stat' || true`;
const MOUNT = `${DIRECTORY}/mount`;
/** What another device may take while one waits: an `add` takes a second on a busy guest, and a file is given up after 30. */
const AT_ONCE_MS = 15_000;

describe('a file system that does not answer', { skip, timeout: 600_000 }, () => {
  let disk = '';
  let serverPid = 0;

  before(async () => {
    sh(`modprobe loop; modprobe dm_mod; mkdir -p ${MOUNT}; truncate -s 128M ${DIRECTORY}/disk.img`);
    disk = sh(`losetup --find --show ${DIRECTORY}/disk.img`).trim();
    sh(`echo "0 262144 linear ${disk} 0" | dmsetup create hung && mkfs.ext4 -q /dev/mapper/hung`);
    sh(`mount /dev/mapper/hung ${MOUNT} && truncate -s 16M ${MOUNT}/{b,c,d,e,f,g}.img ${DIRECTORY}/{good,other}.img`);
    // To read a file without holes, the disk must answer.
    sh(`dd if=/dev/zero of=${MOUNT}/a.img bs=1M count=16 status=none; sync; : > ${SAID}`);
    serverPid = (await library.startServer({ name: NAME, threads: 1 })).pid;
  });
  after(async () => {
    await endServer(NAME, serverPid);
    sh(`umount ${MOUNT}; udevadm settle; dmsetup remove --retry hung; losetup -d ${disk}`);
  });
  leavesNothingBehind();

  // Each of these takes the 30 s after which a file is given up.
  for (const [how, hang, answer, isSkipped] of [
    ['is frozen', `fsfreeze -f ${MOUNT}`, `fsfreeze -u ${MOUNT}`, false],
    ['has a suspended disk', `udevadm settle; ${SUSPEND}`, 'dmsetup resume hung', onlyLong],
  ] as const) {
    test(`that ${how} holds up no other device of a resident server`, { skip: isSkipped }, async () => {
      const before = await library.addDevice({ ...loop(`${DIRECTORY}/good.img`), server: NAME });
      sh(hang);
      try {
        const started = performance.now();
        const hung = library.addDevice({ ...loop(`${MOUNT}/a.img`), server: NAME }).then(
          () => assert.fail('it cannot have been opened'),
          (error: unknown) => error as UblkError,
        );
        await until('the device waits for its file', async () => (await library.listDevices()).length === 2);
        const other = await library.addDevice({ ...loop(`${DIRECTORY}/other.img`), server: NAME });
        verify(other.path, '--size=1M');
        verify(before.path, '--size=1M');
        await library.deleteDevice(other.id);
        assert.ok(performance.now() - started < AT_ONCE_MS, 'the others do not wait');
        const error = await hung;
        assert.equal(error.code, 'TIMEOUT');
        assert.match(error.message, /^cannot use backing file \S+\/a.img: \w+ has not answered for 30 s$/);
      } finally {
        sh(answer);
      }
      // Its thread has come back, and the file can be had.
      await until('the file is free', () => isAdded(`${MOUNT}/a.img`));
      await library.deleteAllDevices();
    });
  }

  test('keeps nobody from adding another file, when it has the file of a device', { skip: onlyLong }, async () => {
    const features: AddRequest['features'] = ['USER_RECOVERY'];
    await library.addDevice(loop(`${MOUNT}/a.img`));
    // More than the threads that a command has for files.
    const orphans: DeviceReport[] = [];
    for (const name of ['b', 'd', 'e', 'f', 'g']) {
      orphans.push(await library.addDevice({ ...loop(`${MOUNT}/${name}.img`), features }));
    }
    const good = await library.addDevice({ ...loop(`${DIRECTORY}/good.img`), features });
    // udev waits for a device that has no server.
    sh('udevadm settle');
    for (const { ublksrv_pid } of [...orphans, good]) process.kill(ublksrv_pid, 'SIGKILL');
    await until('they have no server', async () => {
      const states = await Promise.all([...orphans, good].map(({ id }) => describeDevice(id)));
      return states.every(({ state }) => state === 'QUIESCED');
    });
    // Suspended first, the disk would have to answer for what is dropped.
    sh(`sync; echo 3 > /proc/sys/vm/drop_caches; ${SUSPEND}`);
    const recovery = inBackground(`ublkts recover -a > ${SAID} 2>&1 || true`);
    try {
      const started = performance.now();
      sh(`timeout 60 ublkts add -t loop -n 9 ${DIRECTORY}/other.img`);
      assert.ok(performance.now() - started < AT_ONCE_MS, `${performance.now() - started} ms`);
      sh('ublkts del -n 9');
      await until('the other one is recovered', async () => (await describeDevice(good.id)).state === 'LIVE', 60);
      verify(good.path, '--size=1M');
      await until('the command has ended', () => !isRunning(recovery.pid), 60);
    } finally {
      sh('dmsetup resume hung');
    }
    await recovery.succeeded;
    for (const { id } of orphans) assert.match(said(), new RegExp(`device ${id}: cannot use backing file`));
    assert.doesNotMatch(said(), new RegExp(`device ${good.id}:`));
    await until('no hand is left', () => sh(LEFT_BEHIND) === '');
    await library.deleteAllDevices();
  });

  test('does not keep a command from ending', async () => {
    // Mounted anew, it has nothing of the file in memory.
    sh(`umount ${MOUNT}; mount /dev/mapper/hung ${MOUNT}; udevadm settle; ${SUSPEND}; : > ${SAID}`);
    const add = inBackground(`exec ublkts add -t loop ${MOUNT}/b.img > ${SAID} 2>&1`);
    try {
      await until('it looks at the file', () => sh(LEFT_BEHIND) !== '');
      process.kill(add.pid, 'SIGINT');
      await until('it has ended', () => !isRunning(add.pid));
      assert.match(said(), /interrupted by SIGINT/);
      assert.notEqual(sh(LEFT_BEHIND), '', 'what waits for the disk is left behind');
    } finally {
      sh('dmsetup resume hung');
    }
    await until('no hand is left', () => sh(LEFT_BEHIND) === '');
  });

  test('makes no file shorter when it answers those who have given up', async () => {
    const file = `${MOUNT}/h.img`;
    const grow = (place: string, bytes: number, signal?: AbortSignal): Promise<void> =>
      new BackingCalls(file, { caller: 'process', place, signal }).grow(bytes);
    for (let round = 0; round < 5; round++) {
      sh(`rm -f ${file}; truncate -s 1M ${file}; sync; fsfreeze -f ${MOUNT}`);
      const controller = new AbortController();
      const reason = new Error('enough');
      const given = assert.rejects(grow(`${round}`, 2 << 20, controller.signal), reason);
      const done = grow(`another ${round}`, 4 << 20);
      await until('both wait', () => sh("pgrep -c -f '^ublkts: fallocate' || true").trim() === '2');
      controller.abort(reason);
      await given;
      sh(`fsfreeze -u ${MOUNT}`);
      await done;
      await until('no hand is left', () => sh("pgrep -f '^ublkts: fallocate' || true") === '');
      assert.equal(statSync(file).size, 4 << 20);
    }
  });

  test('is named when a device is to be made larger than its file', { skip: onlyLong }, async () => {
    const { id } = await library.addDevice(loop(`${MOUNT}/c.img`));
    sh(`fsfreeze -f ${MOUNT}`);
    sh(`: > ${SAID}`);
    const resize = inBackground(`ublkts update_size -n ${id} -s 32M --grow > ${SAID} 2>&1 || true`);
    try {
      await until('it is given up', () => said() !== '', 60);
      assert.match(
        said(),
        new RegExp(`^ublkts update_size: cannot use backing file ${MOUNT}/c.img: fallocate has not answered`),
      );
    } finally {
      sh(`fsfreeze -u ${MOUNT}`);
    }
    await resize.succeeded;
    assert.equal((await describeDevice(id)).size_bytes, 16 << 20);
    await library.deleteDevice(id);
  });
});

describe('a file that does not answer a process', { skip, timeout: 120_000 }, () => {
  const silent = `${DIRECTORY}/silent`;
  const calls = (name: string, timeoutMs: number, signal?: AbortSignal): BackingCalls =>
    new BackingCalls(`${silent}/${name}`, { caller: 'process', timeoutMs, place: silent, signal });
  let unmount: () => Promise<void>;
  before(async () => {
    unmount = await silentFiles(silent);
  });
  after(() => unmount());

  test('is given up, and for a while so are those beside it', async () => {
    await assert.rejects(calls('a', 500).stat(), {
      code: 'TIMEOUT',
      message: `cannot use backing file ${silent}/a: stat has not answered for 0.5 s`,
    });
    await until('the process has been killed', () => sh(LEFT_BEHIND) === '');
    await assert.rejects(calls('b', 60_000).stat(), {
      message: `cannot use backing file ${silent}/b: stat of ${silent}/a has not answered for 0.5 s`,
    });
    await sleep(1000);
    await assert.rejects(calls('b', 100).stat(), { message: /b: stat has not answered for 0.1 s$/ });
    await sleep(500);
  });

  test('is given up when the caller says so, with what the caller says', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const given = assert.rejects(calls('a', 60_000, controller.signal).stat(), reason);
    await until('a process waits', () => sh(LEFT_BEHIND) !== '');
    controller.abort(reason);
    await given;
    await assert.rejects(calls('b', 60_000).stat(), { message: /b: stat of \S+\/a has not answered yet$/ });
    await until('the process has been killed', () => sh(LEFT_BEHIND) === '');
    await sleep(100);
    await assert.rejects(calls('b', 100).stat(), { message: /b: stat has not answered for 0.1 s$/ });
  });
});

function loop(file: string): Omit<AddRequest, 'server'> {
  return { target: 'loop', files: [file], queues: 1, depth: 32 };
}

/** A process is over when its parent has read its exit code; until then it is a zombie. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function said(): string {
  return readFileSync(SAID, 'utf8');
}

async function isAdded(file: string): Promise<boolean> {
  try {
    await library.addDevice({ ...loop(file), server: NAME });
    return true;
  } catch {
    return false;
  }
}
