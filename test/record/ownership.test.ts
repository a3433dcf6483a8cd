/** Whose device is it? The kernel's word against the record's. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ownedBy } from '../../src/record/ownership.ts';
import { migrate } from '../../src/record/migrations.ts';
import { takeServerLock } from '../../src/record/server-lock.ts';
import { isServer, isServerAlive, serverOf, serverState, thisProcess } from '../../src/record/server-identity.ts';
import { parseStat } from '../../src/record/process-state.ts';
import { FeatureSet } from '../../src/spec/features.ts';

const record = migrate(JSON.parse(readFileSync(new URL('fixtures/version-1.json', import.meta.url), 'utf8')));
const flags = FeatureSet.of('USER_RECOVERY', 'SHMEM_ZC', 'AUTO_BUF_REG', 'BATCH_IO', 'CMD_IOCTL_ENCODE').flags;

describe('a record', () => {
  test('is of the device that its server, or the one before, serves', () => {
    for (const pid of [4711, 4700])
      assert.equal(ownedBy({ ublksrv_pid: pid, flags: 0n, queue_depth: 1 }, record), record);
    assert.equal(ownedBy({ ublksrv_pid: 4712, flags, queue_depth: 64 }, record), null);
  });
  test('is of a device without a server that was made as it says', () => {
    assert.equal(ownedBy({ ublksrv_pid: -1, flags, queue_depth: 64 }, record), record);
    assert.equal(ownedBy({ ublksrv_pid: -1, flags, queue_depth: 128 }, record), null);
    assert.equal(ownedBy({ ublksrv_pid: -1, flags: 0n, queue_depth: 64 }, record), null);
  });
  test('is not of a later device with the same id, made by another program in the same way', () => {
    const info = { ublksrv_pid: -1, flags, queue_depth: 64 };
    assert.ok(record !== null);
    const ours = { ...record, instance: '77' };
    assert.equal(ownedBy(info, ours, '77'), ours);
    assert.equal(ownedBy(info, ours, '78'), null);
    assert.equal(ownedBy(info, ours, null), ours, 'sysfs has forgotten a device that is being deleted');
    assert.equal(ownedBy(info, record, '78'), record, 'a record of an older version');
  });
  test("that is not there is nobody's", () =>
    assert.equal(ownedBy({ ublksrv_pid: 1, flags, queue_depth: 64 }, null), null));
});

describe('a server', () => {
  test('is a process id with its start time', () => {
    const self = thisProcess();
    assert.ok(isServerAlive(self));
    assert.ok(isServerAlive({ ...self, startTime: null }), 'not recorded by version 1');
  });
  test('is gone when another process has its id', () => {
    const { pid, startTime } = thisProcess();
    assert.equal(serverState({ pid, startTime: (startTime ?? 0) - 1 }), 'gone');
    assert.ok(!isServerAlive({ pid, startTime: (startTime ?? 0) - 1 }));
  });
  test('that there is none of is not alive', () => {
    assert.ok(!isServerAlive(null));
    assert.ok(!isServerAlive({ pid: -1, startTime: null }));
  });
  test('that the kernel names has the start time that the record has', () => {
    const [server, previous] = [
      { pid: 5, startTime: 50 },
      { pid: 4, startTime: 40 },
    ];
    assert.deepEqual(serverOf(4, { server, previous }), previous);
    assert.deepEqual(serverOf(6, { server, previous }), { pid: 6, startTime: null });
  });
  test('may have any name', () => {
    const rest = ['S', ...Array.from({ length: 18 }, () => '0'), '12345', '0'].join(' ');
    assert.deepEqual(parseStat(`77 (a) Z (b) ${rest}`), {
      state: 'running',
      exiting: false,
      isAsleep: true,
      command: 'a) Z (b',
      group: 0,
      ticks: 0,
      startTime: 12345,
    });
  });
});

describe('a server in another pid namespace', () => {
  const elsewhere = { pid: 3, startTime: 77, namespace: 'pid:[1]' };

  test('lives for as long as it holds its lock, whatever has its number here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lock-'));
    const lock = join(folder, '0.lock');
    assert.equal(serverState({ ...elsewhere, pid: process.pid, lock }), 'gone');
    assert.ok(await takeServerLock(lock));
    assert.equal(serverState({ ...elsewhere, lock }), 'running');
    rmSync(folder, { recursive: true });
    assert.equal(serverState({ ...elsewhere, lock }), 'gone');
  });

  test('is the one in the record when the kernel has no number for it here', () => {
    assert.deepEqual(serverOf(-1, { server: elsewhere, previous: null }), elsewhere);
    assert.deepEqual(serverOf(-1, { server: thisProcess(), previous: null }), { pid: -1, startTime: null });
  });

  test('is known here by its start time and by its number there', () => {
    const self = thisProcess();
    const there = { ...self, namespace: 'pid:[1]' };
    assert.ok(isServer(self.pid, there), 'NSpid of this process has this number');
    assert.deepEqual(serverOf(self.pid, { server: there, previous: null }), {
      pid: self.pid,
      startTime: self.startTime,
    });
    assert.ok(!isServer(self.pid, { ...there, pid: 3 }));
    assert.ok(!isServer(process.ppid, { ...there, startTime: 1 }));
  });
});
