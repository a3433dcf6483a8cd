/** Devices come and go, many times and many at once, and with a server that is killed: nothing stays behind. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { pool } from '../../tools/harness/pool.ts';
import { fio, requireBlockDevice } from '../../tools/guest/fio.ts';
import { deviceIds, leftovers, serverPids } from '../../tools/guest/leftovers.ts';
import { statField } from '../../tools/guest/stat-field.ts';
import { add, run, ublkts } from '../../tools/guest/ublkts.ts';
import { blockDevice, leavesNothingBehind, skip } from './guest.ts';
import { until } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const { addDevice, deleteAllDevices, deleteDevice, describeDevice } = library;
const CYCLES = LONG ? 200 : 3;
const AT_ONCE = LONG ? 20 : 4;
/** PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE (include/linux/sched.h). */
const IO_FLUSHER = 0x00080000 | 0x00100000;

describe('life', { skip, timeout: 1_200_000 }, () => {
  leavesNothingBehind();
  // What a failed test left is not the next one's.
  afterEach(() => deleteAllDevices());

  test(`${CYCLES} times added and deleted: no process, file, device or descriptor is left`, async () => {
    // What the first one opens for good, the library keeps.
    await cycle();
    const descriptors = openDescriptors();
    for (let count = 0; count < CYCLES; count++) await cycle();
    assert.deepEqual(await leftovers(), []);
    assert.deepEqual(openDescriptors(), descriptors);
  });

  test(`${AT_ONCE} devices at once, each with I/O`, { skip: onlyLong }, async () => {
    const ids = Array.from({ length: AT_ONCE }, (_none, id) => id);
    const tasks = ids.map((id) => () => addDevice({ ...ADD_DEFAULTS, target: 'null', id, queues: 1, depth: 32 }));
    // More at a time only wait for each other, on the few CPUs of a guest.
    await pool(tasks, 2);
    assert.deepEqual(
      deviceIds().sort((a, b) => a - b),
      ids,
    );
    assert.equal(new Set(serverPids()).size, ids.length);
    await Promise.all(ids.map((id) => blockDevice(`/dev/ublkb${id}`)));
    const all = ids.map((id) => `/dev/ublkb${id}`);
    all.forEach(requireBlockDevice);
    const { error, requests } = await fio(all[0]!, {
      filename: all.join(':'),
      rw: 'randrw',
      bs: '4k',
      iodepth: 64,
      number_ios: 1000,
      size: '1G',
    });
    assert.deepEqual({ error, requests }, { error: 0, requests: 1000 });
    await ublkts('del -a');
    assert.deepEqual(await leftovers(), []);
  });

  test('no thread of a server waits for writeback, which may be its own', async () => {
    const { id } = await addDevice({ ...ADD_DEFAULTS, target: 'null', queues: 2 });
    const flags = threadFlags((await describeDevice(id)).ublksrv_pid);
    assert.ok(flags.length > 4, `${flags.length} threads`);
    for (const word of flags) assert.equal(word & IO_FLUSHER, IO_FLUSHER, word.toString(16));
    assert.equal(threadFlags(process.pid)[0]! & IO_FLUSHER, 0, 'who adds it is as before');
    await deleteDevice(id);
  });

  test('a server that is killed under fio: the device is DEAD, fio is told, and list and del go on', async () => {
    const { id, path, ublksrv_pid: pid } = await add('-t null -q 1');
    await blockDevice(path);
    const running = fio(path, { rw: 'randrw', bs: '4k', iodepth: 32, size: '1G', time_based: true, runtime: 300 });
    await until('fio is at work', async () => ((await describeDevice(id)).io?.copied.requests ?? 0) > 500);
    process.kill(pid, 'SIGKILL');
    await until('the device is DEAD', async () => (await describeDevice(id)).state === 'DEAD');
    const { error } = await running;
    assert.notEqual(error, 0, 'fio saw an error');

    const shown = await run(`list -n ${id} --json`);
    assert.equal(shown.code, 0, shown.stderr);
    const [device] = JSON.parse(shown.stdout).devices;
    assert.equal(device.state, 'DEAD');
    assert.match(device.last_error ?? '', /server/, 'list tells what happened');
    assert.ok(device.io.copied.requests > 500, 'the last counters can still be read');

    await ublkts(`del -n ${id}`);
    assert.deepEqual(await leftovers(), []);
  });
});

async function cycle(): Promise<void> {
  const { id } = await addDevice({ ...ADD_DEFAULTS, target: 'null' });
  await deleteDevice(id);
}

/** What this process has open. */
function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The kernel's flag word of each thread. */
function threadFlags(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => Number(statField(`/proc/${pid}/task/${tid}/stat`, 9)));
}
