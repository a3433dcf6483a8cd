/** Targets of one's own over files and shared memory: several threads, file systems, and servers that are killed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { run as ublkts } from '../../tools/guest/ublkts.ts';
import {
  blockDevice,
  describeDevice,
  leavesNothingBehind,
  run,
  sh,
  shFails,
  skip,
  verify,
  withDevice,
} from './guest.ts';
import { bufferOf, killServer, withServed } from './support/devices.ts';
import { KILLS, POLICIES, surviveKills } from './support/kills.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const DIRECTORY = '/tmp/target-files';
const MOUNT = '/mnt/target-files';
const IN_A_FILE = `${DIRECTORY}/in-a-file.ts`;
const MiB = 1 << 20;
/** How the handlers answer, and the recovery policy, of the devices whose servers are killed. */
const ALL_KILLED = [
  ['no', 'plain'],
  ['yes', 'reissue (-i)'],
  ['no', 'reissue (-i)'],
  ['yes', 'plain'],
] as const;
const KILLED = LONG ? ALL_KILLED : ALL_KILLED.slice(1, 2);
/** How the handlers answer, and the file system. xfs is at least 300 MB large. */
const ALL_FILLED = [
  ['no', 'xfs', '320M'],
  ['yes', 'ext4', '64M'],
  ['no', 'ext4', '320M'],
  ['yes', 'xfs', '320M'],
] as const;
const FILLED = LONG ? ALL_FILLED : [];
const CHECKS = { ext4: 'e2fsck -fn', xfs: 'xfs_repair -n' };

describe('files of targets', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  // Where only root can write them.
  sh(`mkdir -p ${DIRECTORY} ${MOUNT} && cp test/fixtures/in-a-file.ts ${DIRECTORY}/`);
  sh(`chmod 644 ${DIRECTORY}/*`);

  test('of devices that are made on one file at the same time, one gets it, also beside a target that locks it', async () => {
    const file = disk('16M');
    const targets = [IN_A_FILE, IN_A_FILE, 'loop'];
    const made = await Promise.all(targets.map((target) => ublkts(`add -t ${target} -q 1 ${file}`)));
    const said = made.map(({ code, stderr }) => `${code} ${stderr}`).join('');
    const codes = made.map(({ code }) => code).sort((a, b) => a - b);
    assert.deepEqual(codes, [0, 6, 6], said);
    assert.match(
      said,
      /cannot use backing file .*: device \d \(.*\)(?:, which has had no server yet, is to serve it| serves it)/,
    );
    const { length, 0: device } = await library.listDevices();
    assert.equal(length, 1);
    await library.deleteDevice(device!.id);
  });

  test('with setup, one thread per queue serves, all share its memory, and a server after a crash has as many', async () => {
    const device = { target: IN_A_FILE, files: [disk('64M')], queues: 2, features: ['USER_RECOVERY'] as const };
    await withServed(device, async ({ id, path }) => {
      verify(path, '--numjobs=2 --size=4M --offset_increment=8M');
      assert.deepEqual(threadsOf(id), ['1', '2']);
      assert.equal(await threadIds(id), 2);
      await killServer(id);
      await library.recoverDevice(id, {});
      verify(path, '--numjobs=2 --size=4M --offset_increment=8M');
      assert.deepEqual(threadsOf(id, ' to serve it again'), ['1', '2']);
      assert.equal(await threadIds(id), 2);
    });
  });

  test('with setup, more threads than queues share the tags', { skip: onlyLong }, async () => {
    sh(`ublkts add -n 4 -t ${IN_A_FILE} -q 2 --nthreads 4 --per_io_tasks ${disk('64M')}`);
    await blockDevice('/dev/ublkb4');
    verify('/dev/ublkb4', '--numjobs=2 --size=4M --offset_increment=8M');
    assert.deepEqual(threadsOf(4), ['1', '2', '3', '4']);
    sh('ublkts del -n 4');
  });

  for (const [late, name] of KILLED) {
    const answers = late === 'yes' ? 'with promises' : 'at once';
    test(`${answers}, ${name}: no acknowledged write is lost when the server is killed`, async () => {
      const device = { target: IN_A_FILE, files: [disk('64M')], targetOptions: { late }, queues: 2 };
      await surviveKills(device, POLICIES[name], KILLS);
    });
  }

  for (const [late, type, size] of FILLED) {
    test(`${late === 'yes' ? 'with promises' : 'at once'}: ${type} is filled, checked and right`, async () => {
      const device = { target: IN_A_FILE, files: [disk(size)], targetOptions: { late } };
      await withDevice(device, ({ path }) => filled(path, type));
    });
  }

  for (const late of LONG ? ['no', 'yes'] : ['yes']) {
    const answers = late === 'yes' ? 'with promises' : 'at once';
    test(`${answers}: a shared buffer is what the handlers get`, async () => {
      const device = {
        target: IN_A_FILE,
        files: [disk('64M')],
        targetOptions: { late },
        features: ['SHMEM_ZC'] as const,
      };
      await withDevice(device, async ({ id, path }) => {
        const buffer = await library.registerBuffer(id, { kind: 'memfd', bytes: 8 * MiB, seal: true, readOnly: false });
        verify(path, `--bsrange=4k-256k --blockalign=4k --iodepth=8 --mem=mmapshared:${buffer.path}`);
        const { matched, read_only } = await bufferOf(id, buffer.index);
        assert.equal(read_only, false);
        assert.ok(matched.requests > 50, `${matched.requests} requests matched`);
        await library.unregisterAllBuffers(id);
        const sealed = await library.registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: true });
        const fio = `fio --name=r --filename=${path} --direct=1 --ioengine=libaio --bs=4k --size=512k --mem=mmapshared:${sealed.path}`;
        sh(`${fio} --rw=write`);
        assert.equal((await bufferOf(id, sealed.index)).matched.requests, 128);
        sh(`${fio} --rw=read`);
        assert.equal((await bufferOf(id, sealed.index)).matched.requests, 128, 'a read is copied');
        shFails(`ublkts reg-buf -n ${id} --memfd 1M`, /--seal/);
        verify(path, '--size=4M');
      });
    });
  }

  test('writeZeroes alone: zeroes are offered, and discards are not', { skip: onlyLong }, async () => {
    const file = disk('8M');
    await withDevice({ target: IN_A_FILE, files: [file], targetOptions: { zeroes: 'yes' } }, ({ path }) => {
      sh(`head -c 8M /dev/zero | tr '\\0' x | dd of=${path} bs=1M iflag=fullblock oflag=direct status=none`);
      shFails(`blkdiscard -l 1M ${path}`, /not supported/);
      sh(`blkdiscard -z -o 1M -l 2M ${path} && fallocate -p -o 4M -l 1M ${path}`);
      const zeroed = [1, 2, 4];
      for (let at = 0; at < 8; at++) {
        const expected = zeroed.includes(at) ? 0 : 'x'.charCodeAt(0);
        const there = readFileSync(path).subarray(at * MiB, (at + 1) * MiB);
        assert.ok(
          there.every((byte) => byte === expected),
          `MiB ${at}`,
        );
      }
    });
  });
});

function disk(size: string): string {
  const file = '/dev/shm/target-files.img';
  sh(`rm -f ${file}; truncate -s ${size} ${file}`);
  return file;
}

/** The numbers that the threads of the device's newest server have logged with this text behind them. */
function threadsOf(id: number, text = ''): string[] {
  const lines = readFileSync(`/run/ublkts/${id}.log`, 'utf8').matchAll(new RegExp(`is number (\\d+)${text}$`, 'gm'));
  return [...lines].map(([, number]) => number ?? '').sort();
}

async function threadIds(id: number): Promise<number> {
  return new Set((await describeDevice(id)).queues?.flatMap(({ tids }) => tids)).size;
}

/** Makes a file system, fills it with copies of a file, and looks at each copy when it has been mounted again. */
function filled(path: string, type: keyof typeof CHECKS): void {
  sh(`head -c 8M /dev/urandom > ${DIRECTORY}/copy`);
  sh(`wipefs -aq ${path}; mkfs.${type} -q ${path} && mount ${path} ${MOUNT}`);
  try {
    sh(`for i in $(seq 100); do cp ${DIRECTORY}/copy ${MOUNT}/$i 2> /dev/null || { rm ${MOUNT}/$i; break; }; done`);
    sh(`umount ${MOUNT} && ${CHECKS[type]} ${path} && mount -o ro ${path} ${MOUNT}`);
    const count = sh(`n=0; for i in ${MOUNT}/[0-9]*; do cmp ${DIRECTORY}/copy $i; n=$((n + 1)); done; echo $n`);
    assert.ok(Number(count) > 4, `${count} copies`);
  } finally {
    run(`umount ${MOUNT}`);
  }
}
