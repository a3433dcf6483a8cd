/** Where the queue threads may run (`--cpus`), under which policy, and whether the report names them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { AddOptions } from '../../src/spec/options.ts';
import { statField } from '../../tools/guest/stat-field.ts';
import { add, run, ublkts } from '../../tools/guest/ublkts.ts';
import { leavesNothingBehind, sh, skip } from './guest.ts';
import { endServer, killServer, until, withServed } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const { recoverDevice } = library;

type Layout = readonly [layout: string, options: Partial<AddOptions>, threads: number];

const MORE_LAYOUTS: readonly Layout[] = [
  ['one thread per queue', { queues: 2 }, 2],
  ['batch, one thread per queue', { queues: 2, features: ['BATCH_IO'] }, 2],
  ['batch, one thread', { queues: 2, threads: 1, features: ['BATCH_IO'] }, 1],
];

const LAYOUTS: readonly Layout[] = [
  ...(LONG ? MORE_LAYOUTS : []),
  ['--per_io_tasks', { queues: 2, threads: 3, perIoTasks: true }, 3],
];

describe('--cpus', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  for (const [layout, options, threads] of LAYOUTS) {
    test(`${layout}: every queue thread is on the list and in the report, and its queue need not be on the list`, async () => {
      await withServed({ target: 'null', cpus: [1], ...options }, async ({ ublksrv_pid: pid, queues }) => {
        assert.deepEqual(allowedCpus(pid), Array<string>(threads).fill('1'));
        const reported = new Set(queues.flatMap(({ tids }) => tids.map((tid) => `/proc/${pid}/task/${tid}`)));
        assert.deepEqual([...reported].toSorted(), queueThreads(pid).toSorted());
        for (const { id, tids } of queues) assert.ok(tids.length > 0, `no thread serves queue ${id}`);
      });
    });
  }

  test('recover keeps the list, and takes another', async () => {
    const features = ['USER_RECOVERY'] as const;
    await withServed({ target: 'null', queues: 1, cpus: [1], features }, async ({ id }) => {
      await killServer(id);
      assert.deepEqual(allowedCpus((await recoverDevice(id, {})).ublksrv_pid), ['1']);
      await killServer(id);
      assert.deepEqual(allowedCpus((await recoverDevice(id, { cpus: [0] })).ublksrv_pid), ['0']);
    });
  });
});

describe('set_affinity', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('moves the threads of a queue or of a device that serves, and says what the kernel made of it', async () => {
    await withServed({ target: 'null', queues: 2, cpus: [0, 1] }, async ({ id, ublksrv_pid: pid, queues: served }) => {
      // Each thread begins on the CPUs of its queue, whichever those are.
      for (const { id: queue, tids } of served) {
        const ofQueue = readFileSync(`/sys/block/ublkb${id}/mq/${queue}/cpu_list`, 'utf8').trim();
        assert.deepEqual(
          tids.map((tid) => cpusOf(`/proc/${pid}/task/${tid}`)),
          [ofQueue],
        );
      }
      await library.setAffinity(id, { cpus: [0, 1] });
      assert.deepEqual(allowedCpus(pid), ['0-1', '0-1']);
      assert.equal(
        (await ublkts(`set_affinity -n ${id} -q 1 --cpus 1`)).split(' (')[0],
        `device ${id} queue 1: CPUs 1`,
      );
      assert.deepEqual(allowedCpus(pid).toSorted(), ['0-1', '1']);
      const { queues, notes } = await library.setAffinity(id, { cpus: [0] });
      assert.deepEqual([queues.map(({ cpus }) => cpus), notes], [[[0], [0]], []]);
      assert.deepEqual(allowedCpus(pid), ['0', '0']);
      await assert.rejects(library.setAffinity(id, { cpus: [0], queue: 2 }), /has no queue 2/);
      await assert.rejects(library.setAffinity(id, { cpus: [99] }), /there is no CPU 99 here/);
      assert.deepEqual(allowedCpus(pid), ['0', '0']);
    });
  });
});

describe('the CPUs of a resident server', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('that are offline when it is started again are not used, and are kept for the next one', {
    skip: onlyLong,
  }, async () => {
    const [name, online] = ['bound', '/sys/devices/system/cpu/cpu1/online'];
    const options = { target: 'null', queues: 1, features: ['USER_RECOVERY'] as const, server: name, id: 7 };
    let { pid } = await library.startServer({ name, threads: 1, cpus: [1] });
    try {
      await library.addDevice(options);
      sh(`echo 0 > ${online}`);
      await killServer(7);
      ({ ublksrv_pid: pid } = await recoverDevice(7));
      assert.match(readFileSync(`/run/ublkts/server-${name}.log`, 'utf8'), /none of these CPUs is online/);
      sh(`echo 1 > ${online}`);
      await killServer(7);
      ({ ublksrv_pid: pid } = await recoverDevice(7));
      assert.deepEqual(
        (await library.describeDevice(7)).queues.flatMap(({ tids }) =>
          tids.map((tid) => cpusOf(`/proc/${pid}/task/${tid}`)),
        ),
        ['1'],
      );
    } finally {
      sh(`echo 1 > ${online}`);
      await endServer(name, pid);
    }
  });
});

describe('the cpuset of a control group', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('is named when it allows some or none of the CPUs that were asked for', async () => {
    const group = '/sys/fs/cgroup/cpu-zero';
    sh(`mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup; mkdir -p ${group}`);
    sh(`echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control; echo 0 > ${group}/cpuset.cpus`);
    const through = ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh'];
    try {
      const all = await run('add -t null -q 2 -n 2 --cpus 0-1');
      assert.deepEqual([all.code, all.stderr], [0, '']);
      const some = await run('add -t null -q 1 -n 0 --cpus 0-1', { through });
      assert.match(some.stderr, /^note: CPU 1 is offline, or not in the cpuset of the control group, and not used$/m);
      const none = await run('add -t null -q 1 -n 1 --cpus 1', { through });
      assert.match(none.stderr, /^note: affinity of thread 0: none of these CPUs is online and in the cpuset/m);
      const refused = {
        code: 'EINVAL',
        message: /none of these CPUs is online and in the cpuset/,
        hint: /^`taskset -cp \d+`/,
      };
      await assert.rejects(library.setAffinity(0, { cpus: [1] }), refused);
    } finally {
      await run('del -n 0 -n 1 2');
      await until('its processes have ended', () => readFileSync(`${group}/cgroup.procs`, 'utf8') === '');
      sh(`rmdir ${group}`);
    }
  });
});

describe('scheduling policy', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('a queue thread is SCHED_BATCH', async () => {
    await withServed({ target: 'null', queues: 2 }, async ({ ublksrv_pid: pid }) => {
      assert.deepEqual(policies(pid), ['3', '3']);
    });
  });

  test('one that somebody gave another keeps it', async () => {
    const { id, ublksrv_pid: pid } = await add('-t null -q 1', { through: ['chrt', '--fifo', '10'] });
    assert.deepEqual(policies(pid), ['1']);
    await ublkts(`del -n ${id}`);
  });
});

/** The CPUs that each queue thread of the server may run on, as /proc lists them. */
function allowedCpus(pid: number): string[] {
  return queueThreads(pid).map(cpusOf);
}

function cpusOf(task: string): string {
  return /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync(`${task}/status`, 'utf8'))?.[1] ?? '';
}

/** The scheduling policy of each queue thread, as the kernel numbers it. */
function policies(pid: number): string[] {
  return queueThreads(pid).map((task) => statField(`${task}/stat`, 41));
}

function queueThreads(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`)
    .map((tid) => `/proc/${pid}/task/${tid}`)
    .filter((task) => /^ublk\d+-t\d+$/m.test(readFileSync(`${task}/comm`, 'utf8')));
}
