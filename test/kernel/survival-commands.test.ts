/** Commands on devices that hang or are in use: each ends, says why, and hides no other device. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { AddOptions } from '../../src/spec/options.ts';
import { run as ublkts } from '../../tools/guest/ublkts.ts';
import { inBackground } from './support/background.ts';
import { blockDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { until } from './support/devices.ts';
import { makeFat } from './support/fat.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const { ADD_DEFAULTS, addDevice, deleteAllDevices, deleteDevice, describeDevice, listDevices, quiesceDevice } = library;
const { registerBuffer, stopDevice, UblkError } = library;

/** How long a command may wait for anything; `monitor --once` measures for a second besides. */
const WAIT_MS = 1000;
const INTERVAL_MS = 1000;

describe('commands on devices that hang or are in use', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  afterEach(async () => {
    await deleteAllDevices({ force: true });
    sh('udevadm control --start-exec-queue');
  });

  test('the event loop turns while deleteDevice waits for a request, and it says for what', async () => {
    // Long enough for a busy host, where the timer below runs late.
    const { id, path } = await slowDevice(6_000_000);
    await blockDevice(path);
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    let turns = 0;
    const timer = setInterval(() => turns++, 20);
    const waits: string[] = [];
    await deleteDevice(id, { onWaiting: (what) => waits.push(what) });
    clearInterval(timer);
    assert.ok(turns > 20, `${turns} turns`);
    assert.ok(
      waits.some((what) => /requests/.test(what)),
      waits.join('; '),
    );
    await reading.succeeded;
  });

  test('stopDevice gives up when its signal aborts, and the device stops later', async () => {
    const { id, path } = await slowDevice(6_000_000);
    await blockDevice(path);
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    const reason = new Error('enough');
    // By then it has seen that dd has the device open, and has asked the driver to stop it all the same.
    await assert.rejects(stopDevice(id, { signal: abortedAfter(2000, reason) }), reason);
    assert.equal((await describeDevice(id)).state, 'LIVE');
    await until('the device is stopped', async () => (await describeDevice(id)).state === 'DEAD');
    await reading.succeeded;
  });

  test('deleteDevice gives up when its signal aborts; the device goes later, and its files with it', {
    skip: onlyLong,
  }, async () => {
    const { id, path } = await slowDevice(6_000_000);
    await blockDevice(path);
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    const reason = new UblkError('enough', { code: 'INTERRUPTED' });
    await assert.rejects(deleteDevice(id, { signal: abortedAfter(2000, reason) }), reason);
    assert.match((await describeDevice(id)).last_error ?? '', /it is being deleted: the kernel waits for/);
    await until('the device is gone', async () => (await listDevices()).length === 0);
    assert.deepEqual(filesIn(id), []);
    await reading.succeeded;
  });

  test('a process that is stopped while it has the files of devices locked hides no device and hangs no command', {
    skip: onlyLong,
  }, async () => {
    const { id } = await addDevice({ ...ADD_DEFAULTS, target: 'null', id: 3 });
    const locked = inBackground('exec flock --no-fork /run/ublkts sleep 600');
    await until('it has the lock', () => run('flock --nonblock /run/ublkts true').status !== 0);
    const begun = performance.now();
    assert.deepEqual(
      (await listDevices()).map((device) => device.id),
      [id],
    );
    assert.ok(performance.now() - begun < 1000, 'list does not wait');
    await assert.rejects(addDevice({ ...ADD_DEFAULTS, target: 'null', id: 4 }), /locked for 5 s/);
    await assert.rejects(deleteDevice(id), /locked for 5 s/);
    process.kill(locked.pid, 'SIGKILL');
    await locked.succeeded.catch(() => {});
    assert.deepEqual(await listDevices(), []);
    assert.deepEqual([...filesIn(3), ...filesIn(4)], []);
  });

  test('quiesceDevice says QUIESCED when it is so, also with a request under way', async () => {
    const { id, path } = await slowDevice(1_000_000, ['USER_RECOVERY']);
    await blockDevice(path);
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    await quiesceDevice(id);
    assert.equal((await describeDevice(id)).state, 'QUIESCED');
    await deleteDevice(id);
    await reading.succeeded.catch(() => {});
  });

  test('del with a stopped server ends, says so, and the device goes when the server goes on', async () => {
    const { id, path, ublksrv_pid: pid } = await addDevice({ ...ADD_DEFAULTS, target: 'null', features: ['SHMEM_ZC'] });
    const other = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    await blockDevice(path);
    process.kill(pid, 'SIGSTOP');
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    const memory = { kind: 'memfd', bytes: 4096, seal: true, readOnly: false } as const;
    await assert.rejects(registerBuffer(id, memory), /is stopped \(state T\)/);
    await assert.rejects(deleteDevice(id, { timeoutMs: 1500 }), (error) => {
      assert.ok(error instanceof UblkError);
      assert.equal(error.kind, 'busy');
      assert.match(error.message, new RegExp(`pid ${pid}\\), which is stopped \\(state T\\)`));
      assert.match(error.hint ?? '', /kill -CONT/);
      return true;
    });
    const begun = performance.now();
    const listed = await listDevices();
    assert.ok(performance.now() - begun < 1000, 'list does not wait');
    assert.deepEqual(
      listed.map((device) => device.id),
      [id, other.id],
    );
    assert.match(listed[0]?.last_error ?? '', /is stopped \(state T\)/);
    process.kill(pid, 'SIGCONT');
    await until('the device is gone', async () => (await listDevices()).length === 1);
    await reading.succeeded.catch(() => {});
  });

  test('a server that is frozen with its control group is told from one that runs, and goes on after it', async () => {
    const { id, ublksrv_pid: pid } = await addDevice({ ...ADD_DEFAULTS, target: 'null', features: ['SHMEM_ZC'] });
    const group = '/sys/fs/cgroup/paused';
    sh(`mkdir ${group}; echo ${pid} > ${group}/cgroup.procs; echo 1 > ${group}/cgroup.freeze`);
    const report = async (): Promise<DeviceReport | undefined> => (await listDevices()).find((one) => one.id === id);
    try {
      await until('the server is frozen', async () => (await report())?.server_state === 'frozen');
      assert.match(
        (await report())?.last_error ?? '',
        /is frozen with its control group, so I\/O waits: .*cgroup\.freeze/,
      );
      const memory = { kind: 'memfd', bytes: 4096, seal: true, readOnly: false } as const;
      await assert.rejects(registerBuffer(id, memory), /is frozen with its control group/);
      await assert.rejects(deleteDevice(id, { timeoutMs: 1500 }), (error) => {
        assert.ok(error instanceof UblkError);
        assert.match(error.message, /is frozen with its control group/);
        assert.match(error.hint ?? '', /cgroup\.freeze/);
        return true;
      });
    } finally {
      sh(`echo 0 > ${group}/cgroup.freeze`);
    }
    await until('the device is gone', async () => (await report()) === undefined);
    await until('the server has ended', async () => run(`rmdir ${group}`).status === 0);
  });

  test('del with a process that keeps the device open names it; the device is listed until it goes', async () => {
    const { id, path } = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    await blockDevice(path);
    const pid = sh(`sleep 60 < ${path} > /dev/null 2>&1 & echo $!`);
    const { status, stderr } = run(`ublkts del -n ${id}`);
    assert.equal(status, 6, stderr);
    assert.match(stderr, new RegExp(`process ${pid} \\(sleep\\)`));
    const [device] = await listDevices();
    assert.equal(device?.deleting?.holders[0]?.kind, 'process');
    assert.match(sh('ublkts list --format table'), /DELETING/);
    sh(`kill ${pid}`);
    await until('the device is gone', async () => (await listDevices()).length === 0);
    assert.ok(!existsSync(`/run/ublkts/${id}.json`));
  });

  test('del of a device that was stopped before still names the process that keeps it open', {
    skip: onlyLong,
  }, async () => {
    const { id, path } = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    await blockDevice(path);
    const pid = sh(`sleep 60 < ${path} > /dev/null 2>&1 & echo $!`);
    await stopDevice(id);
    await assert.rejects(deleteDevice(id), new RegExp(`process ${pid} \\(sleep\\)`));
    assert.equal((await describeDevice(id)).deleting?.holders[0]?.kind, 'process');
    sh(`kill ${pid}`);
    await until('the device is gone', async () => (await listDevices()).length === 0);
  });

  test('a mount, swap and a device made of it refuse del and stop, and force goes ahead', async () => {
    sh('truncate -s 64M /tmp/survival.img');
    const { id, path } = await addDevice({ ...ADD_DEFAULTS, target: 'loop', files: ['/tmp/survival.img'] });
    await blockDevice(path);
    sh(`mkfs.ext4 -q ${path}; mkdir -p /tmp/survival; mount ${path} /tmp/survival`);
    await assert.rejects(deleteDevice(id), /mounted at \/tmp\/survival \(ext4\)/);
    await assert.rejects(stopDevice(id), /mounted at \/tmp\/survival/);
    sh(`umount /tmp/survival; mkswap ${path} > /dev/null; swapon ${path}`);
    await assert.rejects(deleteDevice(id), /used as swap/);
    sh(`swapoff ${path}; dmsetup create survival --table "0 2048 linear ${path} 0"`);
    const { status, stderr } = run(`ublkts del -n ${id}`);
    assert.equal(status, 6, stderr);
    assert.match(stderr, /part of dm-\d+ \(survival\)/);
    assert.match(stderr, /--force/);
    await assert.rejects(deleteDevice(id, { force: true }), /is stopped, but it is still part of dm-\d+ \(survival\)/);
    sh('dmsetup remove --retry survival');
    await until('the device is gone', async () => (await listDevices()).length === 0);
    sh('rm -rf /tmp/survival /tmp/survival.img');
  });

  test('a journal of its own, a lazy unmount and the second disk of a zram refuse stop and del too', async () => {
    sh('mkdir -p /tmp/survival; truncate -s 64M /tmp/survival/a /tmp/survival/b; modprobe zram');
    const options = { ...ADD_DEFAULTS, target: 'loop', queues: 1 };
    const journal = await addDevice({ ...options, files: ['/tmp/survival/a'] });
    const data = await addDevice({ ...options, files: ['/tmp/survival/b'] });
    for (const { path } of [journal, data]) await blockDevice(path);
    sh(`mke2fs -q -b 1024 -O journal_dev ${journal.path}; mkfs.ext4 -q -b 1024 -J device=${journal.path} ${data.path}`);
    sh(`mkdir /tmp/survival/at; mount ${data.path} /tmp/survival/at`);
    await assert.rejects(stopDevice(journal.id), /mounted at \/tmp\/survival\/at \(ext4\)/);

    const inside = inBackground('cd /tmp/survival/at; exec sleep 600');
    await until('it is inside', () => sh(`readlink /proc/${inside.pid}/cwd`) === '/tmp/survival/at');
    sh('umount -l /tmp/survival/at');
    for (const { id } of [journal, data]) {
      await assert.rejects(deleteDevice(id), /part of a file system \(ext4\) whose mount cannot be seen here/);
    }
    process.kill(inside.pid);
    await inside.succeeded.catch(() => {});
    await until('the file system has gone', () => !existsSync(`/sys/fs/ext4/ublkb${data.id}`));
    await deleteDevice(data.id);

    sh(`echo ${journal.path} > /sys/block/zram0/backing_dev`);
    await assert.rejects(stopDevice(journal.id), /part of zram0/);
    sh('echo 1 > /sys/block/zram0/reset');
    await deleteDevice(journal.id);
    sh('rm -rf /tmp/survival');
  });

  test('a vfat whose mount no process sees, and a disk that nvmet or LIO serves, refuse stop and del too', async () => {
    sh('mkdir -p /tmp/survival/at; truncate -s 8M /tmp/survival/a; modprobe -a nvmet target_core_iblock vfat');
    sh('mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config');
    const { id, path } = await addDevice({ ...ADD_DEFAULTS, target: 'loop', files: ['/tmp/survival/a'], queues: 1 });
    await blockDevice(path);
    makeFat(path, 8 << 20, 512);
    sh(`mount -t vfat ${path} /tmp/survival/at`);
    const inside = inBackground('cd /tmp/survival/at; exec sleep 600');
    await until('it is inside', () => sh(`readlink /proc/${inside.pid}/cwd`) === '/tmp/survival/at');
    sh('umount -l /tmp/survival/at');
    for (const refused of [stopDevice(id), deleteDevice(id)]) {
      await assert.rejects(refused, /the kernel counts somebody who has it open, and no process is seen to/);
    }
    process.kill(inside.pid);
    await inside.succeeded.catch(() => {});

    const subsystem = '/sys/kernel/config/nvmet/subsystems/survival';
    sh(`mkdir -p ${subsystem}/namespaces/1; echo -n ${path} > ${subsystem}/namespaces/1/device_path`);
    sh(`echo 1 > ${subsystem}/namespaces/1/enable`);
    await assert.rejects(stopDevice(id), /it is served by nvmet \(subsystem survival, namespace 1\)/);
    const { status, stderr } = run(`ublkts add -t loop ${path}`);
    assert.equal(status, 6, stderr);
    assert.match(stderr, /is served by nvmet/);
    sh(`echo 0 > ${subsystem}/namespaces/1/enable; rmdir ${subsystem}/namespaces/1 ${subsystem}`);

    const store = '/sys/kernel/config/target/core/iblock_0/survival';
    sh(`mkdir -p ${store}; echo -n udev_path=${path} > ${store}/control; echo 1 > ${store}/enable`);
    await assert.rejects(deleteDevice(id), /it is served by LIO \(block\/survival\)/);
    sh(`rmdir ${store} /sys/kernel/config/target/core/iblock_0`);
    await deleteDevice(id);
    sh('rm -rf /tmp/survival');
  });

  test('del with a suspended disk below ends and names the disk', async () => {
    const below = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    await blockDevice(below.path);
    sh(`dmsetup create below --table "0 131072 linear ${below.path} 0"`);
    const { id, path } = await addDevice({ ...ADD_DEFAULTS, target: 'loop', files: ['/dev/mapper/below'] });
    await blockDevice(path);
    sh('dmsetup suspend --nolockfs --noflush below');
    const reading = inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`);
    await until('the request is under way', async () => inFlight(id) > 0);
    await assert.rejects(deleteDevice(id, { timeoutMs: 1000 }), /sent to below, which is suspended/);
    assert.equal((await listDevices()).length, 2);
    sh('dmsetup resume below');
    await until('the device is gone', async () => (await listDevices()).length === 1);
    await reading.succeeded.catch(() => {});
    sh('dmsetup remove --retry below');
  });

  test('list, monitor, metrics and doctor wait for no device, show every one, and say what it waits for', async () => {
    const below = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    await blockDevice(below.path);
    sh(`dmsetup create below --table "0 131072 linear ${below.path} 0"`);
    const stopped = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    const hung = await addDevice({ ...ADD_DEFAULTS, target: 'loop', files: ['/dev/mapper/below'] });
    const held = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
    const going = [stopped, hung, held];
    for (const { path } of going) await blockDevice(path);
    process.kill(stopped.ublksrv_pid, 'SIGSTOP');
    sh('dmsetup suspend --nolockfs --noflush below');
    const reads = [stopped, hung].map(({ path }) =>
      inBackground(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`),
    );
    for (const { id } of [stopped, hung]) await until('the request is under way', () => inFlight(id) > 0);
    const holder = sh(`sleep 600 < ${held.path} > /dev/null 2>&1 & echo $!`);
    for (const { id } of going) await assert.rejects(deleteDevice(id, { timeoutMs: 1000 }));

    try {
      const listed = await promptly('list --json');
      const watched = await promptly('monitor --once');
      const metrics = await promptly('metrics');
      const doctor = await promptly('doctor');
      const { devices } = JSON.parse(listed) as { devices: DeviceReport[] };
      assert.deepEqual(
        devices.map(({ id }) => id),
        [below, ...going].map(({ id }) => id),
      );
      const troubles = [null, /state T/, /is being deleted: .* sent to below, which is suspended/, /open in process/];
      for (const [index, trouble] of troubles.entries()) {
        const said = devices[index]?.last_error ?? null;
        if (trouble === null) assert.equal(said, null);
        else assert.match(said ?? '', trouble);
      }
      for (const { id, path } of [below, ...going]) {
        assert.ok(watched.includes(`"path":"${path}"`), watched);
        assert.ok(metrics.includes(`ublk_device_info{device="ublkb${id}"`), metrics);
      }
      for (const trouble of [
        `device ${hung.id}: it is being deleted`,
        `device ${held.id}: `,
        `device ${stopped.id}: its server is stopped (state T)`,
      ])
        assert.ok(doctor.includes(trouble), doctor);
    } finally {
      process.kill(stopped.ublksrv_pid, 'SIGCONT');
      sh(`dmsetup resume below; kill ${holder}`);
    }
    await until('those devices are gone', async () => (await listDevices()).length === 1);
    for (const read of reads) await read.succeeded.catch(() => {});
    sh('dmsetup remove --retry below');
  });
});

function filesIn(id: number): string[] {
  return readdirSync('/run/ublkts').filter((name) => name.startsWith(`${id}.`));
}

/** A device whose only requests are those of the test: neither the kernel nor udev looks at it. */
function slowDevice(delayUs: number, features: AddOptions['features'] = []): Promise<DeviceReport> {
  sh('udevadm control --stop-exec-queue');
  return addDevice({
    ...ADD_DEFAULTS,
    target: 'fault_inject',
    targetOptions: { delay_us: String(delayUs) },
    features: ['NO_AUTO_PART_SCAN', ...features],
  });
}

/**
 * The output of a command that is to answer at once. The time that it used the processor for does not count, because in
 * an emulated guest that is seconds. Once more if it waited: its code may have been read from the disk.
 */
async function promptly(command: string): Promise<string> {
  const most = WAIT_MS + (command.startsWith('monitor') ? INTERVAL_MS : 0);
  const first = await waited(command);
  const { ms, stdout } = first.ms < most ? first : await waited(command);
  assert.ok(ms < most, `${command} waited for ${Math.round(ms)} ms`);
  return stdout;
}

async function waited(command: string): Promise<{ readonly ms: number; readonly stdout: string }> {
  const timed = ['bash', '-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bash'];
  const { code, stdout, stderr } = await ublkts(command, { through: timed });
  const [real = 0, user = 0, system = 0] = stderr.trimEnd().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  assert.equal(code, 0, stderr);
  return { ms: (real - user - system) * 1000, stdout };
}

function inFlight(id: number): number {
  const [reads, writes] = sh(`cat /sys/block/ublkb${id}/inflight`).trim().split(/\s+/).map(Number);
  return (reads ?? 0) + (writes ?? 0);
}

function abortedAfter(ms: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), ms);
  return controller.signal;
}
