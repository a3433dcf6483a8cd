/** Servers in surroundings that other servers did not survive: namespaces, signals, little memory, a strange /dev. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { deviceIds, leftovers } from '../../tools/guest/leftovers.ts';
import { run as ublkts } from '../../tools/guest/ublkts.ts';
import { blockDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { inBackground } from './support/background.ts';
import { killServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const FAILED = 1;
const UNSUPPORTED = 3;

const { addDevice, deleteAllDevices, deleteDevice, describeDevice, recoverDevice, registerBuffer, unregisterBuffer } =
  library;
const SMALL = { queues: 1, depth: 8 };

describe('servers that survive', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  afterEach(() => deleteAllDevices());

  for (const node of ['/dev/ublkb7', '/dev/ublkc7']) {
    test(`${node} is a plain file: it is named, nothing is left, and nobody has written to it`, async () => {
      writeFileSync(node, 'careless dd');
      try {
        const message = new RegExp(`${node} is a plain file of 11 bytes, and not`);
        await assert.rejects(addDevice({ ...SMALL, target: 'null', id: 7 }), { message });
        // The device is gone; its server's process may take a moment more to end.
        assert.deepEqual(await leftovers(10_000), []);
        assert.equal(readFileSync(node, 'utf8'), 'careless dd');
      } finally {
        sh(`rm ${node}`);
      }
    });
  }

  test('nothing makes nodes: the device is not left behind', async () => {
    const line = 'add -t null -n 7';
    const inEmptyDev = `mount -t tmpfs none /mnt && cp -a /dev/null /dev/ublk-control /dev/urandom /mnt && mount --move /mnt /dev && exec "$@"`;
    const through = ['unshare', '--mount', 'sh', '-c', inEmptyDev, 'sh'];
    await refused(line, FAILED, /\/dev\/ublkc7 has not appeared/, through);
    assert.deepEqual(await leftovers(), []);
  });

  test('more I/O buffers than the machine has memory are refused with the figure, before anything is mapped', async () => {
    const line = 'add -t null -q 32 -d 4096 --max_io_buf_bytes 32M';
    await refused(line, UNSUPPORTED, /2 queues of 4096 requests of 32M come to 256G, and there are [\d.]+G of memory/);
    assert.deepEqual(await leftovers(), []);
  });

  test('killed as the last process of a namespace in which its device is mounted: it ends, and the data is there', async () => {
    const file = newFile();
    const script = `
      ublkts add -t loop -q 1 -r 1 ${file} > /dev/null
      mkfs.ext4 -q /dev/ublkb0; mount /dev/ublkb0 /mnt; echo kept > /mnt/kept; sync /mnt/kept; touch /tmp/mounted
      exec sleep 600`;
    const holder = inBackground(`exec unshare --mount sh -ec '${script}'`);
    await until('the file system is mounted', () => existsSync('/tmp/mounted'), 60);
    const inside = `nsenter --mount=/proc/${holder.pid}/ns/mnt`;
    try {
      const { ublksrv_pid: first } = await describeDevice(0);
      assert.notEqual(readlinkSync(`/proc/${first}/ns/mnt`), readlinkSync(`/proc/${holder.pid}/ns/mnt`));
      await killServer(0);
      await until('the first server has ended', () => !existsSync(`/proc/${first}`));
      // This one begins with a copy of a namespace in which its own device is mounted.
      sh(`${inside} ublkts recover -n 0`);
      const { ublksrv_pid: second } = await describeDevice(0);
      assert.doesNotMatch(readFileSync(`/proc/${second}/mountinfo`, 'utf8'), /ublkb0/);
      sh(`${inside} umount /mnt`);
      assert.ok(!existsSync('/sys/fs/ext4/ublkb0'), 'no server keeps the file system that everybody has left');
      await killServer(0);
      await until('the second server has ended', () => !existsSync(`/proc/${second}`));
      await recoverDevice(0, {});
      sh('mount /dev/ublkb0 /mnt; grep -q kept /mnt/kept; umount /mnt');
    } finally {
      process.kill(holder.pid, 'SIGKILL');
    }
  });

  test('a mount made after the server: a buffer there can be registered, and the server keeps nothing busy', async () => {
    const { id, ublksrv_pid: pid } = await addDevice({ ...SMALL, target: 'null', features: ['SHMEM_ZC'] });
    sh('mount -t tmpfs none /mnt; fallocate -l 1M /mnt/buffer');
    const { index } = await registerBuffer(id, { kind: 'path', path: '/mnt/buffer', readOnly: false });
    assert.equal((await describeDevice(id)).buffers?.[0]?.source, '/mnt/buffer');
    await unregisterBuffer(id, index);
    sh('umount /mnt');
    assert.doesNotMatch(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), / \/mnt | \/tmp /);
  });

  test('SIGTERM in the order of a reboot: in use it serves on, unused it stops and deletes, and nothing is lost', async () => {
    const file = newFile();
    const { id, path, ublksrv_pid: pid } = await addDevice({ ...SMALL, target: 'loop', files: [file] });
    sh(
      `mkfs.ext4 -q ${path}; mount ${path} /mnt; head -c 4M /dev/urandom > /mnt/data; sha256sum < /mnt/data > /tmp/sum`,
    );
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
      process.kill(pid, signal);
      const said = `${signal}: device ${id} is in use and is served on: ublkb${id} is mounted on /mnt`;
      await until(`${signal} is answered`, () => log(id).includes(said));
    }
    sh('echo more > /mnt/more; umount /mnt');
    const opened = openSync(path, 'r');
    process.kill(pid, 'SIGTERM');
    await until('an opener is seen', () => log(id).split('is served on').length === 5, 60);
    closeSync(opened);
    process.kill(pid, 'SIGTERM');
    await until('the server has ended', () => !existsSync(`/proc/${pid}`), 60);
    assert.ok(!deviceIds().includes(id), 'the id is free when the server has ended');
    assert.deepEqual(await leftovers(), []);
    const disk = sh(`modprobe loop; losetup --find --show ${file}`);
    sh(`e2fsck -fn ${disk} 2>&1; mount ${disk} /mnt; sha256sum < /mnt/data | cmp - /tmp/sum; test -e /mnt/more`);
    sh(`umount /mnt; losetup -d ${disk}`);
  });

  test('in the foreground: in use it serves on, unused it is deleted', { skip: onlyLong }, async () => {
    const server = inBackground(
      'exec ublkts add -t null -q 1 -n 5 --foreground > /tmp/foreground.out 2> /tmp/foreground.log',
    );
    // Before the command has said so, a signal gives the `add` up, and the device is deleted whoever has it open.
    await until('the device is live', () => run('grep -q "^dev id 5: .*" /tmp/foreground.out').status === 0, 60);
    await blockDevice('/dev/ublkb5');
    const opened = openSync('/dev/ublkb5', 'r');
    await until(
      'an opener is seen',
      () => {
        run('pkill -HUP -f "[a]dd -t null -q 1 -n 5"');
        return readFileSync('/tmp/foreground.log', 'utf8').includes('device 5 is in use and is served on');
      },
      60,
    );
    assert.equal((await describeDevice(5)).state, 'LIVE');
    closeSync(opened);
    process.kill(server.pid, 'SIGINT');
    await server.succeeded;
    assert.deepEqual(await leftovers(), []);
  });

  test('the out-of-memory killer passes a server over, and what it uses stays in memory', async () => {
    const { id, ublksrv_pid: pid } = await addDevice({ ...SMALL, depth: 16, target: 'null', mlock: true });
    assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '-1000');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    assert.ok(kilobytes('RssAnon') > 16 * 1024, 'the I/O buffers have their memory');
    assert.ok(kilobytes('VmLck') > 16 * 1024, `${kilobytes('VmLck')} kB locked`);
    await deleteDevice(id);
    const less = '-ipc_lock,-sys_resource';
    sh(`prlimit --memlock=65536 setpriv --bounding-set=${less} --inh-caps=${less} ublkts add -t null -q 1 -n 0`);
    assert.match(log(0), /memory is not locked: without CAP_IPC_LOCK the limit is 65536 bytes/);
    assert.match(log(0), /oom_score_adj stays 0/);
  });
});

function newFile(): string {
  const file = '/var/tmp/survival.img';
  sh(`rm -f ${file}; truncate -s 64M ${file}`);
  return file;
}

function log(id: number): string {
  return readFileSync(`/run/ublkts/${id}.log`, 'utf8');
}

async function refused(line: string, code: number, message: RegExp, through: readonly string[] = []): Promise<void> {
  const outcome = await ublkts(line, { through });
  assert.match(outcome.stderr, message, `ublkts ${line}\n${outcome.stdout}${outcome.stderr}`);
  assert.equal(outcome.code, code, outcome.stderr);
}
