/** Runs inside a guest with four CPUs and the ordinary clock: memory of servers of null. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import type { DeviceReport } from '../../../src/device/report/report.ts';
import { library } from '../../../test/kernel/support/library.ts';
import { BUDGETS, type Figure } from './figures.ts';
import { growth, JOBS, load } from './load.ts';
import { availableMb, privateDirtyMb } from './memory.ts';

const QUEUES = [1, 2, 4];
/** The figures that have a budget. */
const USUAL_QUEUES = 2;
const DEPTH = 128;
/** Requests of each job, in both directions. */
const WARM_UP = 10_000;
/** The part of the device that is used. */
const SIZE = '8g';
const DEVICES = [1, 10, 50];

function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

async function withQueues(queues: number): Promise<void> {
  const device = await addNull(queues);
  await load(device.path, SIZE, WARM_UP);
  report({
    what: `server of null, -q ${queues} -d ${DEPTH}, after I/O`,
    budget: queues === USUAL_QUEUES ? BUDGETS.serverMb : null,
    figure: privateDirtyMb(device.ublksrv_pid),
    unit: 'MB',
    note: `private dirty, after ${(2 * JOBS * WARM_UP).toLocaleString('en-US')} requests on all CPUs`,
  });
  if (queues === USUAL_QUEUES) report(await growth('-q 2', device, SIZE));
  await library.deleteDevice(device.id);
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
