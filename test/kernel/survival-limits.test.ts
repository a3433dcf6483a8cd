/** Limits and namespaces: few descriptors and threads, an io_uring that is switched off, another pid namespace. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { DeviceReport } from '../../src/device/report/report.ts';
import { packagePath } from '../../src/package-root.ts';
import { serverDescriptors } from '../../src/server/descriptor-budget.ts';
import { quoteWord } from '../../src/text/shell-words.ts';
import { leftovers } from '../../tools/guest/leftovers.ts';
import { type Ran, run as ublkts } from '../../tools/guest/ublkts.ts';
import { leavesNothingBehind, sh, skip } from './guest.ts';
import { inBackground } from './support/background.ts';
import { endServer, openFiles, threadsNamed, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const FAILED = 1;
const UNSUPPORTED = 3;

const { addDevice, deleteAllDevices, deleteDevice, describeDevice, recoverDevice } = library;
const SMALL = { target: 'null', queues: 1, depth: 8 };
const LATE = '/root/late.ts';
/** A target that uses libuv's pool for the first time when it is told to: udev reads each device as soon as it is live. */
const LATE_POOL = `import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { defineTarget } from 'ublkts/target';
export default defineTarget({ summary: 'uses the pool late', open: () => ({ size: 1 << 20, async read(buffer) {
  if (existsSync('${LATE}.now')) await stat('/');
  buffer.fill('a');
} }) });
`;
const ONE_THREAD = { threads: 1, files: [], sharedMemory: false, buffers: [], ofTarget: 0 };

describe('limits', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  afterEach(() => deleteAllDevices());

  test('too few open files for 32 threads: one line with the number, before there is a device', async () => {
    const refused = await ublkts('add -t null -b --nthreads 32', openFilesAre('64'));
    expectOneLine(refused, FAILED, /32 threads needs 289 open files, and the limit is 64 \(RLIMIT_NOFILE/);
    assert.match(refused.stderr, /`ulimit -n 512`, LimitNOFILE=512/);
    assert.deepEqual(await leftovers(), []);
  });

  test('the soft limit is raised to the hard one, and the number that is reckoned with is enough', async () => {
    const limit = serverDescriptors(ONE_THREAD);
    const added = await ublkts('add -t null -q 1 -n 0', openFilesAre(`20:${limit}`));
    assert.equal(added.code, 0, added.stderr);
    const { ublksrv_pid: pid } = await describeDevice(0);
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), new RegExp(`Max open files +${limit} +${limit} `));
    // The ring of control commands is closed when the device is live.
    const open = openFiles(pid).length + 1;
    assert.ok(open <= limit && open > limit - 10, `${open} open of ${limit}`);
  });

  test('where not even a command has enough, it says so in one line, and no device is hidden', async () => {
    await addDevice(SMALL);
    const lines = ['add -t null -q 1', 'list', 'doctor'];
    const all = await Promise.all(lines.map((line) => ublkts(line, openFilesAre('25'))));
    for (const [index, ran] of all.entries()) {
      const line = lines[index];
      assert.doesNotMatch(ran.stderr, /\n {4}at |defect|undefined/, line);
      assert.ok(ran.stderr.split('\n').length <= 3, `${line}: ${ran.stderr}`);
      if (ran.code === 0 && line === 'list') assert.match(ran.stdout, /dev id 0/);
    }
  });

  test('too few threads: one line, and nothing is left', async () => {
    const group = threadsGroup('few');
    sh(`echo 24 > ${group}/pids.max`);
    const through = ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh'];
    try {
      const refused = await ublkts('add -t null -b --nthreads 32', { through });
      expectOneLine(refused, FAILED, /./);
      assert.match(refused.stderr, /pids.max/);
      assert.deepEqual(await leftovers(), []);
    } finally {
      sh(`rmdir ${group}`);
    }
  });

  test('no more threads at all: a resident server that has had no file yet survives its first one', async () => {
    const group = threadsGroup('few-ever');
    sh(`echo 30 > ${group}/pids.max`);
    const through = ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh'];
    const unstarted = await ublkts('serve --name few --threads 1', { through });
    expectOneLine(unstarted, FAILED, /ended by SIGABRT before it was ready/);
    assert.match(unstarted.stderr, /pids\.max/);
    assert.deepEqual(await leftovers(), []);
    sh(`echo max > ${group}/pids.max`);
    const { pid } = await library.startServer({ name: 'few', threads: 1 });
    sh(`echo ${pid} > ${group}/cgroup.procs; cat ${group}/pids.current > ${group}/pids.max`);
    sh('truncate -s 1M /tmp/few.img');
    try {
      const file = { target: 'loop', files: ['/tmp/few.img'], queues: 1, server: 'few' } as const;
      await assert.rejects(addDevice(file), { code: 'EAGAIN', hint: /pids\.max/ });
      assert.ok(existsSync(`/proc/${pid}`), 'the server lives');
    } finally {
      sh(`echo max > ${group}/pids.max; rm /tmp/few.img`);
      await endServer('few', pid);
      await until('its process has ended', () => !existsSync(`/proc/${pid}`));
      sh(`rmdir ${group}`);
    }
  });

  test('Node that waits for ever for threads of its own is given up soon', { skip: onlyLong }, async () => {
    const group = threadsGroup('few-hung');
    sh(`echo 11 > ${group}/pids.max`);
    const through = ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh'];
    const message = /has not begun to run within 15 s, and was killed/;
    try {
      for (const command of ['serve --name few', 'add -t null']) {
        expectOneLine(await ublkts(command, { through }), FAILED, message);
        assert.deepEqual(await leftovers(), [], command);
      }
    } finally {
      sh(`rmdir ${group}`);
    }
  });

  test('no process can be started: add deletes its device itself, and del keeps the device', async () => {
    const group = threadsGroup('none');
    const { id } = await addDevice(SMALL);
    const program = `
      import { addDevice, deleteDevice } from '${packagePath('dist/index.js')}';
      import { readFileSync, writeFileSync } from 'node:fs';
      import { stat } from 'node:fs/promises';
      await stat('/');
      writeFileSync('${group}/cgroup.procs', String(process.pid));
      const has = Number(readFileSync('${group}/pids.current'));
      // One for the kernel's worker that makes the device, and one for a process, which lacks threads or a worker then.
      for (const more of [1, 2]) {
        writeFileSync('${group}/pids.max', String(has + more));
        for (const call of [() => addDevice({ target: 'null' }), () => deleteDevice(${id})])
          await call().catch(({ name, code, command }) => console.log(name, code, command));
      }`;
    try {
      const said = sh(`node --input-type=module --eval ${quoteWord(program)}`);
      const [unstarted, unserved] = ['UblkError EAGAIN spawn', 'UblkError SERVER_DIED undefined'];
      assert.equal(said, [unstarted, unstarted, unserved, 'UblkError ECANCELED TRY_STOP_DEV'].join('\n'));
      const { state, deleting } = await describeDevice(id);
      assert.deepEqual([state, deleting], ['LIVE', null]);
      assert.ok(!existsSync(`/run/ublkts/${id}.going`));
      await deleteDevice(id);
      assert.deepEqual(await leftovers(), []);
    } finally {
      sh(`rmdir ${group}`);
    }
  });

  test('no more threads once a device is live: a target in a file has those of the pool', async () => {
    const group = threadsGroup('few-own');
    writeFileSync(LATE, LATE_POOL);
    const { id, path, ublksrv_pid: pid } = await addDevice({ target: LATE, queues: 1 });
    try {
      sh(`echo ${pid} > ${group}/cgroup.procs; cat ${group}/pids.current > ${group}/pids.max; touch ${LATE}.now`);
      assert.equal(sh(`dd if=${path} bs=4k count=1 iflag=direct status=none | head -c 3`), 'aaa');
    } finally {
      await deleteDevice(id);
      await until('its process has ended', () => !existsSync(`/proc/${pid}`));
      sh(`rmdir ${group}; rm ${LATE}*`);
    }
  });

  test('too few threads in a resident server: the device is refused, the server has what it had, and serves on', async () => {
    const group = threadsGroup('few-resident');
    const { pid } = await library.startServer({ name: 'few', threads: 1 });
    sh(`echo ${pid} > ${group}/cgroup.procs`);
    const four = { target: 'null', features: ['BATCH_IO'], threads: 4, queues: 1, server: 'few' } as const;
    try {
      // What Node and V8 keep of the first threads is there.
      const kept = await addDevice({ ...SMALL, features: ['BATCH_IO'], server: 'few' });
      const first = await addDevice(four);
      await deleteDevice(first.id);
      await until('its threads have ended', () => threadsNamed(pid, `ublk${first.id}-`).length === 0);
      const held = () => [openFiles(pid), readdirSync(`/proc/${pid}/task`).length];
      const before = held();
      // Some are refused with the first of their threads, and some with the last: their other threads run already. With 7
      // more, all of them run, and the kernel cannot start the worker of one.
      for (const more of [0, 1, 2, 3, 7]) {
        sh(`echo $(( $(cat ${group}/pids.current) + ${more} )) > ${group}/pids.max`);
        await assert.rejects(addDevice(four), { code: 'EAGAIN', hint: /pids\.max/ });
        sh(`echo max > ${group}/pids.max`);
        await until(`it holds what it held, with ${more} more`, () => isDeepStrictEqual(held(), before)).catch(() =>
          assert.deepEqual(held(), before, `with ${more} more`),
        );
      }
      // The one shared thread is started for its first device. With one more, the kernel cannot start its worker.
      for (const more of [0, 1]) {
        sh(`echo $(( $(cat ${group}/pids.current) + ${more} )) > ${group}/pids.max`);
        await assert.rejects(addDevice({ ...SMALL, server: 'few' }), { code: 'EAGAIN', hint: /pids\.max/ });
        sh(`echo max > ${group}/pids.max`);
      }
      await until('it holds what it held, without a shared thread', () => isDeepStrictEqual(held(), before));
      sh(`dd if=${kept.path} of=/dev/null bs=64k count=100 iflag=direct status=none`);
      await addDevice({ ...four, threads: 2 });
      // Its shared thread has the worker that writes of a file need, before there is a file.
      await addDevice({ ...SMALL, server: 'few' });
      sh(`truncate -s 1M /tmp/few.img; cat ${group}/pids.current > ${group}/pids.max`);
      const { path } = await addDevice({ target: 'loop', files: ['/tmp/few.img'], queues: 1, server: 'few' });
      sh(`dd if=/dev/zero of=${path} bs=64k count=16 oflag=direct conv=fsync status=none; rm /tmp/few.img`);
    } finally {
      sh(`echo max > ${group}/pids.max`);
      await endServer('few', pid);
      await until('its process has ended', () => !existsSync(`/proc/${pid}`));
      sh(`rmdir ${group}`);
    }
  });
});

describe('an io_uring that is switched off', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();

  test('commands name the switch; what looks at devices shows what sysfs and the record have', async () => {
    const file = newFile();
    await addDevice({ ...SMALL, target: 'loop', files: [file] });
    sh('sysctl -qw kernel.io_uring_disabled=2');
    try {
      const switched = /io_uring is switched off on this machine \(sysctl kernel\.io_uring_disabled is 2/;
      expectOneLine(await ublkts('add -t null'), UNSUPPORTED, switched);
      const listed = await ublkts('list');
      assert.match(listed.stdout, /dev id 0: nr_hw_queues 1 queue_depth 8 .*\n.* state LIVE\n/);
      assert.match(listed.stderr, /state is inferred: io_uring is switched off/);
      const device = await describeDevice(0);
      assert.deepEqual(device.target?.files, [file]);
      assert.deepEqual([device.seen_from, device.server_state], ['sysfs', 'running']);
      const watched = await ublkts('monitor --once');
      assert.match(watched.stdout, /io_uring is switched off/);
      assert.doesNotMatch(watched.stdout, /root/);
      const doctor = await ublkts('doctor --json');
      assert.equal(doctor.code, UNSUPPORTED);
      const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
      const names = [
        'io_uring',
        'driver',
        'features',
        'devices',
        'files',
        'swap',
        'hugepages',
        'memlock',
        'open files',
      ];
      for (const name of names)
        assert.ok(
          checks.some((check) => check.name === name),
          `${name} is checked`,
        );
    } finally {
      sh('sysctl -qw kernel.io_uring_disabled=0');
    }
    await deleteDevice(0);
  });

  test('for users only: exit 3 and the switch', async () => {
    chmodSync('/dev/ublk-control', 0o666);
    sh('sysctl -qw kernel.io_uring_disabled=1');
    try {
      const through = ['setpriv', '--reuid=nobody', '--clear-groups'];
      const refused = await ublkts('add -t null', { through, env: { HOME: '/tmp' } });
      expectOneLine(refused, UNSUPPORTED, /switched off for this user \(sysctl kernel\.io_uring_disabled is 1/);
    } finally {
      sh('sysctl -qw kernel.io_uring_disabled=0');
      chmodSync('/dev/ublk-control', 0o600);
    }
  });

  test('a seccomp filter is called one', async () => {
    const ENOSYS = 38;
    writeFileSync('/tmp/no-ring.bpf', filterOf(425, ENOSYS));
    const through = ['setpriv', '--seccomp-filter', '/tmp/no-ring.bpf'];
    expectOneLine(await ublkts('add -t null', { through }), UNSUPPORTED, /seccomp filter hides it/);
  });
});

describe('another pid namespace', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();

  test('a server in it is ours, seen from outside: listed, recovered and deleted, without waiting for a zombie', async () => {
    // Nobody collects the server there: it stays a zombie.
    const script = `ublkts add -t loop -q 1 -r 1 -n 4 ${newFile()} > /dev/null; touch /tmp/added; exec sleep 600`;
    const holder = inBackground(`exec unshare --pid --fork --kill-child --mount-proc bash -ec '${script}'`);
    try {
      await until('the device is added', () => existsSync('/tmp/added'), 60);
      const device = await describeDevice(4);
      assert.equal(device.target?.type, 'loop');
      assert.equal(device.server_state, 'running');
      assert.match(readFileSync(`/proc/${device.ublksrv_pid}/cmdline`, 'latin1'), /server\/main\.cjs/);
      process.kill(device.ublksrv_pid, 'SIGKILL');
      await until('it has no server', async () => (await describeDevice(4)).state === 'QUIESCED');
      assert.equal((await describeDevice(4)).target?.type, 'loop');
      await recoverDevice(4, {});
      await deleteDevice(4, { timeoutMs: 5000 });
      assert.deepEqual(await leftovers(), []);
    } finally {
      process.kill(holder.pid, 'SIGKILL');
    }
  });

  test('a server outside is ours, seen from inside: listed and deleted', async () => {
    await addDevice({ ...SMALL, id: 5 });
    const through = ['unshare', '--pid', '--fork', '--mount-proc'];
    const listed = await ublkts('list -n 5 --json', { through });
    const { devices } = JSON.parse(listed.stdout) as { devices: DeviceReport[] };
    assert.equal(devices[0]?.target?.type, 'null', listed.stderr);
    assert.equal(devices[0]?.server_state, 'running');
    assert.equal(devices[0]?.last_error, null);
    const deleted = await ublkts('del -n 5', { through });
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.deepEqual(await leftovers(), []);
  });
});

function newFile(): string {
  const file = '/var/tmp/limits.img';
  sh(`rm -f ${file}; truncate -s 16M ${file}`);
  return file;
}

/** Makes a control group that can limit threads. */
function threadsGroup(name: string): string {
  const group = `/sys/fs/cgroup/${name}`;
  sh(`mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup; mkdir -p ${group}`);
  sh('echo +pids > /sys/fs/cgroup/cgroup.subtree_control');
  return group;
}

function openFilesAre(limit: string): { through: string[] } {
  return { through: ['prlimit', `--nofile=${limit}`] };
}

/** What is wrong and a hint, and no stack. */
function expectOneLine(ran: Ran, code: number, message: RegExp): void {
  const [said = '', hint = '', ...more] = ran.stderr.trimEnd().split('\n');
  assert.match(said, message, ran.stderr);
  assert.match(hint, /^hint: /);
  assert.deepEqual(more, []);
  assert.equal(ran.code, code, ran.stderr);
}

/** A seccomp program (struct sock_filter) that answers one system call with an errno, and lets the others pass. */
function filterOf(call: number, errno: number): Uint8Array {
  const LOAD = 0x20;
  const JUMP_IF_EQUAL = 0x15;
  const RETURN = 0x06;
  const SECCOMP_RET_ERRNO = 0x0005_0000;
  const SECCOMP_RET_ALLOW = 0x7fff_0000;
  const program = [
    [LOAD, 0, 0, 0],
    [JUMP_IF_EQUAL, 0, 1, call],
    [RETURN, 0, 0, SECCOMP_RET_ERRNO | errno],
    [RETURN, 0, 0, SECCOMP_RET_ALLOW],
  ] as const;
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [code, then, otherwise, value]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(then, 8 * index + 2);
    bytes.writeUInt8(otherwise, 8 * index + 3);
    bytes.writeUInt32LE(value, 8 * index + 4);
  }
  return bytes;
}
