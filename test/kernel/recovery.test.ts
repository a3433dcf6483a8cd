/** Servers that are killed, and devices that go on with the next. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { createMemfd, mapFile } from '../../src/native/memory.ts';
import type { AddOptions } from '../../src/spec/options.ts';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, shFails, skip, verify } from './guest.ts';
import { inBackground } from './support/background.ts';
import { bufferOf, buffersOf, killServer, until, withDisk, withServed } from './support/devices.ts';
import { KILLS, POLICIES, surviveKills } from './support/kills.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const { recoverDevice, registerBuffer, unregisterAllBuffers, unregisterBuffer } = library;

const FOLDER = '/dev/shm/recovery';
const MiB = 1 << 20;
const PAGE = 4096;

describe('recovery', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER}`);

  for (const [name, policy] of Object.entries(POLICIES)) {
    // The rounds of chaos that `npm test` has kill the server of such a device, too, and so do the tests of targets in files.
    if (!LONG && name === 'reissue (-i)') continue;
    test(`${name}: killed ${KILLS} times under I/O, no acknowledged write is lost`, async () => {
      await surviveKills({ target: 'loop', files: backing('disk') }, policy, KILLS);
    });
  }

  test('with two buffers, a path and a memfd: fio in both verifies through the crashes', {
    skip: onlyLong,
  }, async () => {
    const features = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE', 'SHMEM_ZC'] as const;
    const file = sharedFile('buffer', 4 * MiB);
    const buffers = [{ path: file, readOnly: false }];
    await withServed({ target: 'loop', files: backing('disk'), features, buffers }, async ({ id, path }) => {
      const memfd = await registerBuffer(id, { kind: 'memfd', bytes: 4 * MiB, seal: true, readOnly: false });
      assert.equal(memfd.index, 1);
      const check = '--verify=crc32c --do_verify=1 --verify_state_save=0 --verify_fatal=1';
      const fio = (offset: string, memory: string) =>
        inBackground(
          `fio --name=v --filename=${path} --offset=${offset} --size=8M --loops=${KILLS * 40} --time_based --runtime=${KILLS * 15} --direct=1 \
           --ioengine=libaio --rw=randwrite --bs=4k --iodepth=16 --mem=mmapshared:${memory} ${check} --verify_backlog=256`,
        );
      const jobs = [fio('0', file), fio('16M', memfd.path)];
      for (let kill = 0; kill < KILLS; kill++) {
        const matched = async (index: number) => (await bufferOf(id, index)).matched.requests;
        for (const index of [0, 1]) await until('requests match', async () => (await matched(index)) > 20);
        await killServer(id);
        await recoverDevice(id, {});
        const now = await buffersOf(id);
        assert.deepEqual(
          now.map(({ index, len }) => [index, len]),
          [
            [0, 4 * MiB],
            [1, 4 * MiB],
          ],
        );
        assert.match(now[1]!.source, /^\/proc\/\d+\/fd\/\d+$/, 'the new server keeps the memfd');
      }
      for (const job of jobs) await job.succeeded;
      assert.equal((await describeDevice(id)).io?.errors, 0);
      // Nobody has the memfd now but the server, and then nobody at all.
      await killServer(id);
      await recoverDevice(id, {});
      assert.deepEqual(
        (await buffersOf(id)).map(({ index }) => index),
        [0],
      );
      assert.equal((await registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: false })).index, 1);
    });
  });

  test('a file that is not the same any more is not taken for it', async () => {
    const features = ['USER_RECOVERY', 'SHMEM_ZC'] as const;
    const names = ['grown', 'replaced', 'removed', 'same'];
    const files = names.map((name) => sharedFile(name, MiB));
    const buffers = files.map((path) => ({ path, readOnly: false }));
    await withServed({ target: 'null', features, buffers }, async ({ id }) => {
      await killServer(id);
      sh(`truncate -s 0 ${files[0]}; truncate -s 1M ${files[0]}`);
      sh(`rm ${files[1]} ${files[2]}`);
      sharedFile('replaced', MiB);
      await recoverDevice(id, {});
      assert.deepEqual(
        (await buffersOf(id)).map(({ index }) => index),
        [3],
      );
      // The indexes of the others are free again: with the kernel too.
      for (const index of [0, 1, 2]) {
        assert.equal(
          (await registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: false, readOnly: false })).index,
          index,
        );
      }
    });
  });

  test('killed at any moment of registering, both sides agree afterwards', async () => {
    await withServed({ target: 'null', features: ['USER_RECOVERY', 'SHMEM_ZC'] }, async ({ id }) => {
      for (let round = 0; round < KILLS; round++) {
        const busy = registerForEver(id);
        await sleep(Math.random() * 300);
        await killServer(id);
        await busy;
        await recoverDevice(id, {});
        const listed = (await buffersOf(id)).map(({ index }) => index);
        assert.deepEqual(await unregisterAllBuffers(id), listed);
        const { index } = await registerBuffer(id, { kind: 'memfd', bytes: 4096, seal: false, readOnly: false });
        assert.equal(index, 0, 'the kernel has none left');
        await unregisterAllBuffers(id);
      }
    });
  });

  test('a recovery that fails leaves the device recoverable, and what it serves untouched', async () => {
    const [file] = backing('moved');
    await withServed({ target: 'loop', files: [file!], features: ['USER_RECOVERY'] }, async ({ id, path }) => {
      verify(path);
      await killServer(id);
      sh(`mv ${file} ${file}.away; mkdir ${file}`);
      shFails(`ublkts recover -n ${id}`, /./);
      assert.equal((await describeDevice(id)).state, 'QUIESCED');
      sh(`rmdir ${file}; mv ${file}.away ${file}`);
      assert.match(sh(`ublkts recover -n ${id}`), /state LIVE$/m);
      verify(path);
    });
  });

  test('a loop device of the kernel that got another file meanwhile is named in a note', async () => {
    const [first, second] = backing('first', 'second');
    sh('modprobe loop');
    const disk = sh(`losetup --find --show ${first}`);
    try {
      await withServed({ target: 'loop', files: [disk], features: ['USER_RECOVERY'] }, async ({ id }) => {
        await killServer(id);
        assert.deepEqual((await recoverDevice(id)).notes, []);
        await killServer(id);
        await until('the disk is free', () => run(`losetup -d ${disk} && ! losetup ${disk}`).status === 0);
        sh(`losetup ${disk} ${second}`);
        const { notes } = await recoverDevice(id);
        assert.match(notes.join(), /is not the disk that the device had before/);
      });
    } finally {
      sh(`losetup -d ${disk}`);
    }
  });

  test('an option of the target that is named leaves the others as they were', { skip: onlyLong }, async () => {
    const [file] = backing('offset');
    sh(`printf there | dd of=${file} bs=1M seek=4 conv=notrunc status=none`);
    sh(`ublkts add -t loop -n 5 -i 1 --offset 4M --sizelimit 2M ${file}`);
    const part = { offset: String(4 * MiB), sizelimit: String(2 * MiB) };
    const cases = [
      ['--buffered_io', { ...part, buffered_io: '1' }],
      ['-t loop', { ...part, buffered_io: '1' }],
      ['-o buffered_io=0', { ...part, buffered_io: '0' }],
    ] as const;
    for (const [named, options] of LONG ? cases : cases.slice(0, 1)) {
      await killServer(5);
      sh(`ublkts recover -n 5 ${named}`);
      assert.deepEqual((await describeDevice(5)).target?.options, options);
      assert.match(sh('dd if=/dev/ublkb5 bs=512 count=1 iflag=direct status=none | tr -d "\\0"'), /^there$/);
    }
    sh('ublkts del -n 5');
  });

  test('without its record, the buffers of a device are unregistered, also those behind many free indexes', {
    skip: onlyLong,
  }, async () => {
    const [file] = backing('disk');
    sh(`ublkts add -t loop -n 5 -q 1 -r 1 -i 1 --shmem_zc ${file}`);
    await blockDevice('/dev/ublkb5');
    const memfd = createMemfd('last', PAGE);
    const last = { kind: 'path', path: `/proc/${process.pid}/fd/${memfd}` } as const;
    for (let i = 0; i < 17; i++) await registerBuffer(5, { kind: 'memfd', bytes: PAGE, seal: true });
    assert.equal((await registerBuffer(5, last)).index, 17);
    for (let i = 0; i < 17; i++) await unregisterBuffer(5, i);
    await killServer(5);
    sh(`rm /run/ublkts/5.json; ublkts recover -n 5 -t loop -r 1 -i 1 ${file}`);
    const memory = mapFile(memfd, PAGE, 'of a test');
    await withDisk('/dev/ublkb5', async (disk) => assert.equal(writeSync(disk, memory.bytes, 0, PAGE, 0), PAGE));
    memory.unmap();
    assert.equal((await registerBuffer(5, last)).index, 0);
    closeSync(memfd);
    sh('ublkts del -n 5');
  });

  test('a buffer that could be cut short is given up when the new target reads the bytes itself', {
    skip: onlyLong,
  }, async () => {
    sh('ublkts add -t ram --size 1M -n 5 -q 1 -r 1 --shmem_zc');
    await blockDevice('/dev/ublkb5');
    await registerBuffer(5, { kind: 'path', path: sharedFile('unsealed', MiB) });
    await killServer(5);
    const recovered = sh(`ublkts recover -n 5 -t ${import.meta.dirname}/../../examples/ram.ts -o size=1M 2>&1`);
    assert.match(recovered, /^note: buffer 0 is not registered any more: its owner could cut it short/m);
    assert.deepEqual(await buffersOf(5), []);
    sh('ublkts del -n 5');
  });

  test("kublk's command lines", { skip: onlyLong }, async () => {
    const [file] = backing('kublk');
    sh(`ublkts add -t loop -n 5 -q 1 -r 1 ${file}`);
    await blockDevice('/dev/ublkb5');
    await killServer(5);
    assert.match(sh(`ublkts recover -n 5 -t loop -q 1 -r 1 ${file}`), /^dev id 5: nr_hw_queues 1 /);
    sh('ublkts del -n 5');
  });

  const skipKublk = existsSync('/opt/kublk/kublk') ? false : 'no /opt/kublk/kublk in this guest';
  test('devices that kublk made', { skip: skipKublk || onlyLong }, async () => {
    const [file] = backing('kublk');
    // A device of ours that another program deletes leaves its record, which is not about the next device of that id.
    sh('ublkts add -t null -n 6 && /opt/kublk/kublk del -n 6 > /dev/null 2>&1');
    assert.ok(existsSync('/run/ublkts/6.json'));
    sh(`/opt/kublk/kublk add -t loop -n 6 -r 1 ${file} > /dev/null 2>&1`);
    await blockDevice('/dev/ublkb6');
    process.kill((await describeDevice(6)).ublksrv_pid, 'SIGKILL');
    await until('it is quiesced', async () => (await describeDevice(6)).state === 'QUIESCED');
    shFails('ublkts recover -n 6', /made by another program.*\n.*-t TARGET/);
    sh(`ublkts recover -n 6 -t loop -r 1 ${file}`);
    verify('/dev/ublkb6');
    sh('ublkts del -n 6');
  });

  test('of two recoveries at once one is refused, and the other is whole', async () => {
    await withServed({ target: 'null', features: ['USER_RECOVERY'] }, async ({ id }) => {
      await killServer(id);
      const both = await Promise.allSettled([recoverDevice(id, {}), recoverDevice(id, {})]);
      const refused = both.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
      assert.match(
        refused.map(({ message }) => message).join(),
        /^device \d+ cannot be changed: another process is using it \(recover\)$/,
      );
      const { state, ublksrv_pid: pid } = await describeDevice(id);
      assert.equal(state, 'LIVE');
      assert.match(readFileSync(`/proc/${pid}/comm`, 'utf8'), /ublk|node/);
    });
  });

  test('what cannot be recovered is said', async () => {
    await withServed({ target: 'null', features: ['USER_RECOVERY'] }, async ({ id, ublksrv_pid: pid }) => {
      shFails(
        `ublkts recover -n ${id}`,
        new RegExp(`device ${id} is live and served by pid ${pid}; there is nothing to`),
      );
      sh(`ublkts stop -n ${id}`);
      shFails(`ublkts recover -n ${id}`, /was stopped: there is nothing to recover/);
      shFails(`ublkts recover -n ${id}`, new RegExp(`ublkts del -n ${id} && ublkts add -t null -r 1`));
    });
    await withServed({ target: 'null', queues: 1 }, async ({ id, ublksrv_pid: pid }) => {
      shFails(
        `ublkts recover -n ${id}`,
        new RegExp(`device ${id} is live and served by pid ${pid}; there is nothing to`),
      );
      await killServer(id);
      shFails(`ublkts recover -n ${id}`, /was made without recovery and cannot be recovered/);
      shFails(`ublkts recover -n ${id}`, new RegExp(`ublkts del -n ${id} && ublkts add -t null -q 1 -i 1`));
    });
    shFails('ublkts recover -n 77', /there is no device 77 \(GET_DEV_INFO, ENODEV\)/);
  });

  test('the last of it', () => {
    sh(`rm -rf ${FOLDER} /tmp/recovery-*`);
    assert.equal(readFileSync('/proc/sys/vm/nr_hugepages', 'utf8').trim(), '0');
  });
});

/** Registers and unregisters until the server is gone. */
async function registerForEver(id: number): Promise<void> {
  try {
    for (;;) {
      for (let i = 0; i < 3; i++) await registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: false });
      await unregisterAllBuffers(id);
    }
  } catch {
    // That was it.
  }
}

function backing(...names: string[]): NonNullable<AddOptions['files']> {
  return names.map((name) => {
    const file = `/tmp/recovery-${name}`;
    sh(`rm -rf ${file}; truncate -s 64M ${file}`);
    return file;
  });
}

function sharedFile(name: string, bytes: number): string {
  const path = `${FOLDER}/${name}`;
  writeFileSync(path, Buffer.alloc(bytes));
  return path;
}
