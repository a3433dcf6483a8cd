/** What cannot be done is refused with a sentence and an exit code of its own, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Check } from '../../src/device/doctor/check.ts';
import { hugeFile } from '../../tools/guest/hugetlbfs.ts';
import { leftovers } from '../../tools/guest/leftovers.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { add, describe as describeReport, run, type RunSetting, ublkts } from '../../tools/guest/ublkts.ts';
import { leavesNothingBehind, sh, skip } from './guest.ts';
import { endServer, until } from './support/devices.ts';
import { library } from './support/library.ts';

const USAGE = 2;
const FAILED = 1;
const UNSUPPORTED = 3;
const PERMISSION = 4;
const NO_DEVICE = 5;
const BUSY = 6;
const SOME = 64;

/** Words, exit code, what is said, and what to do about it. */
const LINES: readonly (readonly [line: string, code: number, message: RegExp, hint: RegExp])[] = [
  ['add -t nil', USAGE, /there is no target named 'nil'/, /null, loop, ram, stripe, nbd, fault_inject/],
  ['add', USAGE, /no target is named/, /-t/],
  ['add -t null -q 0', USAGE, /--queues 0 is out of range/, /from 1 to 32/],
  ['add -t null -q 33', USAGE, /--queues 33 is out of range/, /from 1 to 32/],
  ['add -t null -d 0', USAGE, /--depth 0 is out of range/, /from 1 to 4096/],
  ['add -t null -d 5000', USAGE, /--depth 5000 is out of range/, /from 1 to 4096/],
  ['add -t null --max_io_buf_bytes 512', USAGE, /--max_io_buf_bytes 512 is out of range/, /from 4096 to/],
  ['add -t null --cpus 0,999', USAGE, /no CPU 999/, /the CPUs are 0/],
  ['recover -n 0 --cpus 3-1', USAGE, /3-1 goes backwards/, /1-3/],
  ['add -t null --data_path nope', USAGE, /--data_path "nope" is not the name of a data path/, /copy, get_data/],
  ['add -t null -u --zoned', USAGE, /target null cannot serve a zoned device \(--zoned\)/, /leave --zoned out/],
  [
    'add -t null --nthreads 3',
    USAGE,
    /3 threads cannot serve 2 queues/,
    /--per_io_tasks or --batch, or make --nthreads 2/,
  ],
  ['add -t loop', USAGE, /target loop takes 1 backing file, not 0/, /add -t loop FILE/],
  ['add -t null /tmp/odd', USAGE, /target null takes no backing file, not 1/, /leave/],
  ['add -t loop /nowhere', FAILED, /\/nowhere: there is no such file/, /truncate/],
  ['add -t null --shmem_zc --htlb /nowhere', FAILED, /\/nowhere: there is no such file/, /fallocate/],
  ['add -t null --shmem_zc --htlb /tmp/empty', FAILED, /\/tmp\/empty: it is empty/, /give it a size/],
  ['add -t null --shmem_zc --htlb /tmp/folder', FAILED, /\/tmp\/folder: it is a directory/, /a file/],
  ['add -t null --shmem_zc --htlb /tmp/odd', FAILED, /5000 bytes, is not a whole number of pages/, /multiple of 4096/],
  ['add -t null --shmem_zc --rdonly_shmem_buf', USAGE, /no buffer is named/, /--htlb/],
  ['del -n 9', NO_DEVICE, /device 9/, /./],
  ['stop -n 9', NO_DEVICE, /device 9/, /./],
  ['quiesce -n 9', NO_DEVICE, /device 9/, /./],
  ['monitor -n 9 --once', NO_DEVICE, /there is no device 9/, /ublkts list/],
  ['monitor 9 --count 2', NO_DEVICE, /there is no device 9/, /ublkts list/],
  ['metrics -n 9', NO_DEVICE, /there is no device 9/, /ublkts list/],
  ['del', USAGE, /no device is named/, /-n/],
];

describe('refusals', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  if (skip === false) {
    mkdirSync('/tmp/folder', { recursive: true });
    writeFileSync('/tmp/empty', '');
    writeFileSync('/tmp/odd', Buffer.alloc(5000));
  }

  for (const [line, code, message, hint] of LINES) {
    test(`ublkts ${line}`, () => expectRefusal(line, code, message, hint));
  }

  test('a buffer without --shmem_zc', async () => {
    const buffer = hugeFile();
    await tidied(
      () => expectRefusal(`add -t null --htlb ${buffer.path}`, USAGE, /requires --shmem_zc/, /add --shmem_zc/),
      buffer.remove,
    );
  });

  test('a backing file on hugetlbfs, which takes no writes', async () => {
    const { path, remove } = hugeFile();
    await tidied(
      () => expectRefusal(`add -t loop ${path}`, FAILED, /it is on hugetlbfs/, /another file system/),
      remove,
    );
  });

  test('an id that is taken', async () => {
    await add('-t null -n 3');
    try {
      await expectRefusal(
        'add -t null -n 3',
        BUSY,
        /device 3 exists already: the id is taken \(ADD_DEV, EEXIST\)/,
        /`ublkts del -n 3`/,
        { devicesThen: ['device 3'] },
      );
    } finally {
      await ublkts('del -n 3');
    }
  });

  test('a device that is missing hides none of the others that `list` names', async () => {
    await add('-t null -n 3');
    try {
      const { code, stdout, stderr } = await run('list 9 3 --format kublk');
      assert.equal(code, SOME);
      assert.match(stdout, /^dev id 3: /);
      assert.match(stderr, /there is no device 9/);
      const { devices, failed } = JSON.parse((await run('list 3 9 --json')).stdout);
      assert.deepEqual([devices[0].id, devices.length, failed[0].device, failed.length], [3, 1, 9, 1]);
    } finally {
      await ublkts('del -n 3');
    }
  });

  test('an id that is none, by every function of the library: NaN is not device 0', async () => {
    await add('-t null -n 0');
    try {
      const { deleteDevice, describeDevice, quiesceDevice, recoverDevice, stopDevice, updateSize } = library;
      const functions = [describeDevice, stopDevice, quiesceDevice, recoverDevice, deleteDevice];
      for (const [id, written] of [
        [Number.NaN, 'NaN'],
        [0.5, '0.5'],
        [2 ** 32, '4294967296'],
        ['0' as unknown as number, "'0'"],
      ] as const) {
        const isRefused = { name: 'UblkError', kind: 'usage', message: `${written} is not the id of a device` };
        for (const call of functions) await assert.rejects(async () => call(id), isRefused, `${call.name}(${id})`);
        await assert.rejects(async () => updateSize(id, 1 << 30), isRefused);
      }
      assert.equal((await describeDevice(0)).state, 'LIVE');
    } finally {
      await ublkts('del -n 0');
    }
  });

  test('not root', () =>
    expectRefusal('add -t null', PERMISSION, /\/dev\/ublk-control/, /root/, {
      // Root's own would be closed to it.
      env: { HOME: '/tmp' },
      through: ['setpriv', '--reuid=nobody', '--clear-groups'],
    }));

  test('who may not ask the driver is told no less than the truth', async () => {
    const { id } = await add('-t null -q 1');
    const killed = await add('-t null -q 1 -r 1');
    process.kill(killed.ublksrv_pid, 'SIGKILL');
    await until('it has no server', async () => (await describeReport(killed.id)).state === 'QUIESCED');
    const { server } = JSON.parse(await ublkts('serve --name kept --json')) as { server: { pid: number } };
    try {
      const setting = { env: { HOME: '/tmp' }, through: ['setpriv', '--reuid=nobody', '--clear-groups'] };
      const { stdout, stderr } = await run('metrics', setting);
      assert.match(
        stderr,
        /^note: \/dev\/ublk-control needs root: states are guessed from sysfs, and neither the target/,
      );
      for (const [device, up, state] of [
        [id, 1, 'LIVE'],
        [killed.id, 0, 'NO SERVER'],
      ] as const) {
        assert.match(stdout, new RegExp(`^ublk_device_up\\{device="ublkb${device}"\\} ${up}$`, 'm'));
        assert.match(stdout, new RegExp(`^ublk_device_info\\{device="ublkb${device}",state="${state}"`, 'm'));
      }
      const { checks } = JSON.parse((await run('doctor --json', setting)).stdout) as { checks: Check[] };
      const said = Object.fromEntries(checks.map(({ name, status, detail }) => [name, `${status}: ${detail}`]));
      assert.match(said['files'] ?? '', /^warn: not checked: only root/);
      // Root is not held to it, and nobody else is told so.
      assert.match(said['memlock'] ?? '', /^(?:ok: unlimited|warn: \d+ bytes)$/);
      // As root makes it with a umask of 077.
      chmodSync('/run/ublkts', 0o700);
      assert.match(
        (await run('metrics', setting)).stdout,
        new RegExp(`^ublk_device_up\\{device="ublkb${id}"\\} 1$`, 'm'),
      );
    } finally {
      chmodSync('/run/ublkts', 0o755);
      await endServer('kept', server.pid);
    }
  });

  test('a kernel without the driver', async () => {
    sh('modprobe -r ublk_drv');
    try {
      await expectRefusal('add -t null', UNSUPPORTED, /no ublk driver/, /modprobe ublk_drv/);
    } finally {
      sh('modprobe ublk_drv');
    }
  });

  test('a driver without its node, as in a container', async () => {
    renameSync('/dev/ublk-control', '/dev/hidden');
    try {
      await expectRefusal('add -t null', UNSUPPORTED, /driver is loaded, but its node is not/, /`mknod .* c 10 \d+`/);
      assert.match(await ublkts('list --json'), /"notice":"the ublk driver is loaded, but its node is not in this/);
      writeFileSync('/dev/ublk-control', '');
      await expectRefusal('add -t null', UNSUPPORTED, /another file is in the place/, /remove .*`mknod .* c 10 \d+`/);
    } finally {
      renameSync('/dev/hidden', '/dev/ublk-control');
    }
  });
});

interface Setting extends RunSetting {
  /** What is there all the same. */
  readonly devicesThen?: readonly string[];
}

async function expectRefusal(
  line: string,
  code: number,
  message: RegExp,
  hint: RegExp,
  { devicesThen = [], ...setting }: Setting = {},
): Promise<void> {
  const refused = await run(line, setting);
  assert.deepEqual({ code: refused.code, stdout: refused.stdout }, { code, stdout: '' }, refused.stderr);
  const [said = '', advice = '', ...more] = refused.stderr.trimEnd().split('\n');
  assert.match(said, message);
  assert.match(advice, /^hint: /);
  assert.match(advice, hint);
  assert.deepEqual(more, [], 'two lines and no more');
  assert.deepEqual(
    (await leftovers(0)).filter((what) => what.startsWith('device')),
    devicesThen,
  );
}
