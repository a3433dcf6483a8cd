/** Runs inside a guest with four CPUs and the ordinary clock: memory of servers of null. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import type { DeviceReport } from '../../../src/device/report.ts';
import { library } from '../../../test/kernel/support/library.ts';
import { fio, type FioJob } from '../../guest/fio.ts';
import { BUDGETS, type Figure } from './figures.ts';
import { availableMb, privateDirtyMb } from './memory.ts';

const QUEUES = [1, 2, 4];
/** The figures that have a budget. */
const USUAL_QUEUES = 2;
const DEPTH = 128;
/** Requests of each of the four jobs, in both directions. */
const WARM_UP = 10_000;
const MILLION = 1_000_000;
const JOBS = 4;
const JOB: FioJob = {
  norandommap: true,
  bs: '4k',
  iodepth: 32,
  size: '8g',
  numjobs: JOBS,
  group_reporting: true,
  thread: true,
};
const DEVICES = [1, 10, 50];

function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

async function withQueues(queues: number): Promise<void> {
  const device = await addNull(queues);
  await load(device.path, WARM_UP);
  report({
    what: `server of null, -q ${queues} -d ${DEPTH}, after I/O`,
    budget: queues === USUAL_QUEUES ? BUDGETS.serverMb : null,
    figure: privateDirtyMb(device.ublksrv_pid),
    unit: 'MB',
    note: `private dirty, after ${(2 * JOBS * WARM_UP).toLocaleString('en-US')} requests on all CPUs`,
  });
  if (queues === USUAL_QUEUES) await overAMillion(device);
  await library.deleteDevice(device.id);
}

/** The second million counts: the first is what warms a device up, whatever came before. */
async function overAMillion({ path, ublksrv_pid }: DeviceReport): Promise<void> {
  const sizes = [privateDirtyMb(ublksrv_pid)];
  for (let millions = 0; millions < 2; millions++) {
    await load(path, MILLION / JOBS / 2);
    sizes.push(privateDirtyMb(ublksrv_pid));
  }
  const [before = Number.NaN, first = Number.NaN, second = Number.NaN] = sizes;
  report({
    what: 'growth over 1,000,000 requests of 4k, -q 2',
    budget: BUDGETS.growthMb,
    figure: second - first,
    unit: 'MB',
    note: `${before.toFixed(1)} MB before, ${first.toFixed(1)} after a million, ${second.toFixed(1)} after two; the budget is the tolerance`,
  });
}

/** Random reads, then as many writes; every queue gets some. */
async function load(path: string, requestsOfAJob: number): Promise<void> {
  for (const rw of ['randread', 'randwrite']) {
    const { error, requests, stderr } = await fio(path, { ...JOB, rw, number_ios: requestsOfAJob });
    if (error !== 0 || requests !== JOBS * requestsOfAJob) throw new Error(`fio: ${error}, ${requests} ${stderr}`);
  }
}

async function manyDevices(): Promise<void> {
  const free = availableMb();
  const devices: DeviceReport[] = [];
  for (const count of DEVICES) {
    while (devices.length < count) devices.push(await addNull(USUAL_QUEUES));
    execFileSync('udevadm', ['settle', '--timeout=120']);
    const usable = devices.filter(({ path }) => readable(path)).length;
    const sum = devices.reduce((total, { ublksrv_pid }) => total + privateDirtyMb(ublksrv_pid), 0);
    const taken = Math.round(free - availableMb());
    const note = `private dirty of all servers, ${(sum / count).toFixed(1)} MB each; the guest has ${taken} MB less`;
    report({
      what: `servers of ${count} null device${count > 1 ? 's' : ''}, -q ${USUAL_QUEUES} -d ${DEPTH}, no I/O`,
      budget: null,
      figure: sum,
      unit: 'MB',
      note,
    });
    if (count > 1)
      report({
        what: `usable of ${count}`,
        budget: count,
        figure: usable,
        unit: 'devices',
        least: true,
        note: 'a block read from each',
      });
  }
  await library.deleteAllDevices();
}

function readable(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    // udev has not read this place, so the data comes from the device and not from the cache.
    return readSync(fd, Buffer.alloc(4096), 0, 4096, 1 << 30) === 4096;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function addNull(queues: number): Promise<DeviceReport> {
  return library.addDevice({ target: 'null', queues, depth: DEPTH });
}

for (const queues of QUEUES) await withQueues(queues);
await manyDevices();
