/** Targets of one's own on a real ublk driver: their data, their promises, their errors, and their ends. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { AddRequest } from '../../src/spec/options.ts';
import { BLOCK_ERROR_CODES } from '../../src/targets/handlers/errors.ts';
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
import { installIn, writeExampleOfDocumentation } from './support/installed.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const DIRECTORY = '/tmp/handlers';
/** Where somebody has installed the package. */
const FOLDER = '/tmp/installed';
/** The fixture, where only root can write it. */
const TARGET = `${DIRECTORY}/handlers.ts`;
/** Handlers that answer at once in the first half of the disk, and with a promise in the second; and a timer. */
const LATE = `import { defineTarget, flag } from 'ublkts/target';
export default defineTarget({
  summary: 'late',
  options: { ticks: flag({ summary: 'the disk changes by itself' }) },
  open({ options }) {
    const disk = Buffer.alloc(8 << 20);
    if (options.ticks) setInterval(() => disk.fill((disk[0]! + 1) % 256), 10);
    const answer = (offset: number) => (offset < 4 << 20 ? undefined : new Promise<void>((done) => setImmediate(done)));
    return {
      size: disk.length,
      read: (buffer, offset) => (disk.copy(buffer, 0, offset, offset + buffer.length), answer(offset)),
      write: (buffer, offset) => (disk.set(buffer, offset), answer(offset)),
    };
  },
});
`;
const DATA_PATHS = ['copy', 'get_data', 'user_copy', 'batch+copy', 'batch+user_copy'];
/** Of each origin. `npm run bench -- --wake-ups` makes a hundred thousand. */
const REQUESTS = LONG ? 10_000 : 300;
/** Seconds that fio may take for so many at a depth of 1. */
const SECONDS = 300;
/** How many times 2 s an idle server may use before it uses no processor. */
const WINDOWS = 20;

describe('targets with byte handlers', { skip }, () => {
  leavesNothingBehind();
  sh(`mkdir -p ${DIRECTORY} && cp test/fixtures/handlers.ts examples/ram.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`);

  test('the file of the documentation, with the package in an empty folder, from its command line to its end', async () => {
    const ublkts = installIn(FOLDER);
    writeExampleOfDocumentation(`${FOLDER}/ram.ts`);
    assert.match(sh(`cd ${FOLDER} && ${ublkts} add -t ./ram.ts -o size=64M -n 3`), /dev_capacity 131072$/m);
    await blockDevice('/dev/ublkb3');
    verify('/dev/ublkb3', '--size=6M');
    sh('mkfs.ext4 -q /dev/ublkb3 && mkdir -p /mnt/handlers && mount /dev/ublkb3 /mnt/handlers');
    sh('cp -r src /mnt/handlers/ && diff -r src /mnt/handlers/src && umount /mnt/handlers && e2fsck -fn /dev/ublkb3');
    assert.equal((await describeDevice(3)).target?.type, `${FOLDER}/ram.ts`);
    sh('blkdiscard /dev/ublkb3 && cmp -n 1048576 /dev/ublkb3 /dev/zero');
    sh(`${ublkts} del -n 3`);
  });

  test('a thread goes from its ring to the event loop with its first promise, or with what open has left', {
    skip: onlyLong,
  }, async () => {
    writeFileSync(`${DIRECTORY}/late.ts`, LATE);
    await withDevice({ target: `${DIRECTORY}/late.ts` }, ({ path }) => {
      verify(path, '--size=4M');
      verify(path, '--size=4M --offset=4M');
      verify(path, '--size=8M');
    });
    const targetOptions = { ticks: 'yes' };
    await withDevice({ target: `${DIRECTORY}/late.ts`, targetOptions }, async ({ path }) => {
      const first = sh(`dd if=${path} bs=4k count=1 iflag=direct status=none | sha256sum`);
      await sleep(200);
      assert.notEqual(sh(`dd if=${path} bs=4k count=1 iflag=direct status=none | sha256sum`), first);
    });
  });

  describe('a device that has everything', () => {
    let id = -1;
    let path = '';
    /** A device that takes one request at a time, which never ends. */
    let blocked = -1;
    let from = 0;

    before(async () => {
      const report = await library.addDevice(device({ hang_at: '8192' }));
      ({ id, path } = report);
      await blockDevice(path);
      // The request that is in the list at the end.
      run(`dd if=${path} of=/dev/null bs=4k skip=2 count=1 iflag=direct > /dev/null 2>&1 &`);
      const other = await library.addDevice(device({ hang_at: '8192', concurrency: '1' }));
      blocked = other.id;
      await blockDevice(other.path);
      run(`dd if=${other.path} of=/dev/null bs=4k skip=2 count=1 iflag=direct > /dev/null 2>&1 &`);
      await sleep(300);
      run(`dd if=${other.path} of=/dev/null bs=4k skip=3 count=1 iflag=direct > /dev/null 2>&1 &`);
      from = performance.now();
    });

    after(async () => {
      // The driver waits for the request as long as there is a server that could answer it.
      for (const each of [id, blocked]) {
        process.kill((await describeDevice(each)).ublksrv_pid, 'SIGKILL');
        await library.deleteDevice(each);
      }
    });

    test('loses no wake-up, wherever the promises settle: at once, a microtask, an immediate, a timer, a file, a socket, a worker', () => {
      for (let origin = 0; origin < 7; origin++) {
        const fio = `fio --name=q --filename=${path} --direct=1 --ioengine=libaio --rw=randrw --bs=4k --offset=${origin + 7}M --size=1M`;
        const more = `--norandommap --io_size=${REQUESTS * 2}k`;
        sh(`timeout ${SECONDS} ${fio} --iodepth=1 ${more} && timeout ${SECONDS} ${fio} --iodepth=32 ${more}`);
      }
    });

    test('uses no processor while its promises wait', async () => {
      const { ublksrv_pid } = await describeDevice(id);
      // V8 compiles the code of the requests before, and collects their garbage, for some seconds; longer on a busy host.
      const windows: number[] = [];
      while ((windows.at(-1) ?? Infinity) > 1) {
        assert.ok(windows.length < WINDOWS, `ticks of 10 ms in each 2 s: ${windows.join(', ')}`);
        const ticksBefore = ticks(ublksrv_pid);
        await sleep(2000);
        windows.push(ticks(ublksrv_pid) - ticksBefore);
      }
    });

    test('hands each error on as it was thrown, and a thousand of them leave the next request good', async () => {
      const said = BLOCK_ERROR_CODES.map((_code, block) => readAt(path, 56 * 256 + block));
      const words = [
        'Input/output error',
        'No space left on device',
        'Operation not supported',
        'Connection timed out',
        'Link has been severed',
        'Remote I/O error',
        'Invalid exchange',
        'No data available',
        'Invalid or incomplete multibyte',
        'Cannot allocate memory',
        'Resource temporarily unavailable',
      ];
      assert.deepEqual(
        said.map((text, index) => text.includes(words[index] ?? '?')),
        words.map(() => true),
        said.join(''),
      );
      assert.match(readAt(path, 56 * 256 + 99), /Input\/output error/);
      const before = (await describeDevice(id)).io?.errors ?? 0;
      const file = openSync(path, 'r');
      for (let i = 0; i < 1000; i++) assert.throws(() => readSync(file, Buffer.alloc(4096), 0, 4096, 56 << 20));
      closeSync(file);
      assert.ok(((await describeDevice(id)).io?.errors ?? 0) >= before + 1000, 'they are counted');
      assert.equal(readAt(path, 0), '');
      assert.equal(log(id).match(/: read: BlockError: byte 58720256 is bad/g)?.length, 1, 'each is logged once');
    });

    test('shows a request that never settles within 35 s, by what it is, and serves others meanwhile', async () => {
      let report = await describeDevice(id);
      for (; report.io?.stuck === null; report = await describeDevice(id)) {
        assert.ok(performance.now() - from < 40_000, 'the request is in the list');
        assert.equal(readAt(path, 0), '');
        await sleep(1000);
      }
      const { stuck } = report.io ?? {};
      assert.deepEqual([stuck?.requests, stuck?.op, stuck?.offset], [1, 'read', 8192]);
      assert.match(report.last_error ?? '', /^its target has not answered a read at byte 8192 for \d+ s$/);
      assert.match(sh('ublkts list 2>&1 >/dev/null'), /note: device \d+: its target has not answered a read/);
      assert.match(log(id), /handlers\.ts: a read of 4096 bytes at 8192 has not settled for 3\d s/);
    });

    test('counts what waits behind it, where the target takes one request at a time', async () => {
      for (; ((await describeDevice(blocked)).io?.stuck?.requests ?? 0) < 2; await sleep(500)) {
        assert.ok(performance.now() - from < 45_000, 'both requests are in the list');
      }
      assert.match(log(blocked), /a read of 4096 bytes at 12288 has waited for its turn for 3\d s/);
    });
  });

  for (const dataPath of LONG ? DATA_PATHS : ['batch+user_copy']) {
    test(`${dataPath}: the data is right at once and with promises, and a request ends in time`, async () => {
      const ram = { target: `${DIRECTORY}/ram.ts`, targetOptions: { size: '64M' } };
      await withDevice({ ...ram, dataPath }, ({ path }) => atEachDepth(path));
      const late = device({ hang_at: '8192', timeout: '3' });
      await withDevice({ ...late, depth: 128, dataPath }, ({ path }) => {
        assert.match(readAt(path, 2), /Connection timed out/);
        atEachDepth(path);
      });
    });
  }

  test('a target that takes one request at a time gets one at a time, and is closed at the end', async () => {
    await withDevice(device({ concurrency: '1' }), ({ id, path }) => {
      verify(path, '--size=8M');
      sh(`tail -f -n +1 /run/ublkts/${id}.log > ${DIRECTORY}/log 2>&1 & echo $! > ${DIRECTORY}/tail`);
    });
    sh(`sleep 1; kill $(cat ${DIRECTORY}/tail)`);
    assert.match(readFileSync(`${DIRECTORY}/log`, 'utf8'), /the disk is closed/);
  });

  test('an unhandled rejection leaves a device that can be recovered, and its reason', async () => {
    const { id, path } = await library.addDevice({ ...device({ crash_at: '3145728' }), features: ['USER_RECOVERY'] });
    await blockDevice(path);
    run(`timeout 5 dd if=${path} of=/dev/null bs=1M skip=3 count=1 iflag=direct || true`);
    for (let tries = 0; (await describeDevice(id)).state !== 'QUIESCED'; tries++) {
      assert.ok(tries < 100, 'it is QUIESCED');
      await sleep(100);
    }
    // Until its parent, this process, has taken note of its end, the server is a zombie.
    let reason = '';
    for (let tries = 0; tries < 50 && !reason.includes('nobody handles this'); tries++) {
      await sleep(100);
      reason = (await describeDevice(id)).last_error ?? '';
    }
    assert.match(
      reason,
      /^target .*handlers\.ts failed outside of every request, on thread 0: nobody handles this \(handlers\.ts:\d+/,
    );
    assert.equal((await library.recoverDevice(id)).state, 'LIVE');
    assert.equal(readAt(path, 0), '');
    await library.deleteDevice(id);
  });

  test('what open throws, and a mistake in the file, is what add says; no device is left', async () => {
    const refused = /cannot open: the disk is not to be had today \(handlers\.ts:\d+:\d+\)/;
    shFails(`cd ${DIRECTORY} && ublkts add -t ./handlers.ts -o refuse=yes`, refused);
    sh(`printf "import { defineTarget } from 'ublkts/target';\\nconst x = ;\\n" > ${DIRECTORY}/wrong.ts`);
    shFails(`ublkts add -t ${DIRECTORY}/wrong.ts`, /cannot load target .*wrong\.ts: SyntaxError: .* \(wrong\.ts:2/);
    shFails(`ublkts add -t ${TARGET} -z`, /shows it none\nhint: --data_path can be copy/);
    assert.deepEqual(await library.listDevices(), []);
  });
});

function device(targetOptions: Readonly<Record<string, string>>): AddRequest {
  return { target: TARGET, targetOptions, depth: 32 };
}

/** Mixed sizes from one sector to 1 MiB, as many at once as the queue takes, or fewer; the first 4 MiB are left alone. */
function atEachDepth(path: string): void {
  for (const depth of LONG ? [1, 8, 32, 128] : [128]) verify(path, `--size=8M --offset=4M --iodepth=${depth}`);
}

/** What dd says when it cannot read a block of 4096 bytes; nothing when it can. */
function readAt(path: string, block: number): string {
  return run(`dd if=${path} of=/dev/null bs=4k skip=${block} count=1 iflag=direct status=none`).stderr;
}

function log(id: number): string {
  const file = `/run/ublkts/${id}.log`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Processor time that a process has used, in ticks of 10 ms. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
