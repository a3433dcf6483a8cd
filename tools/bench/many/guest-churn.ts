/**
 * Runs inside a guest: `node tools/bench/many/guest-churn.ts CYCLES ALIVE`. What the server holds while devices come and go
 * beside others that are under verifying fio, and the latency of one more device that is read from all the time: while
 * none comes or goes, while those of the server do, and while those of kublk do.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from '../../../src/device/in-parallel.ts';
import type { AddRequest } from '../../../src/spec/options.ts';
import { fioUntilStopped } from '../../../test/kernel/support/background.ts';
import { requireBlockDevice } from '../../guest/fio.ts';
import { stopKhugepaged } from '../../guest/khugepaged.ts';
import { leftovers } from '../../guest/leftovers.ts';
import { library } from '../../guest/library.ts';
import { stopUdev } from '../../guest/udev.ts';
import { held } from './held.ts';
import { kublkCycle } from './kublk-cycle.ts';
import { latencyDuring, us } from './latency.ts';
import { report } from './rows.ts';

const [cycles = 1000, alive = 50] = process.argv.slice(2).map(Number);
const FOLDER = '/tmp/many';
/** Devices that come and go at the same time. */
const AT_ONCE = 2;
const STEPS = 10;
const QUIET_MS = 30_000;
const WATCHED_RATE = 20;
const KUBLK_CYCLES = 100;
const KUBLK_IDS = 600;
/** Of each of them; together they leave the emulated CPUs time for the rest. */
const RATE = '--rate_iops=2 --size=64k --loops=10';

type Request = Omit<AddRequest, 'server'>;

const churned: Request = { target: 'null', queues: 1, depth: 32, quiet: true };

function loop(index: number): Request {
  const file = `${FOLDER}/${index}.img`;
  execFileSync('truncate', ['-s', '16M', file]);
  return { target: 'loop', files: [file], queues: 1, depth: 32, quiet: true };
}

function readFrom(path: string): void {
  requireBlockDevice(path);
  const fd = openSync(path, 'r');
  readSync(fd, Buffer.alloc(4096), 0, 4096, 1 << 20);
  closeSync(fd);
}

execFileSync('mkdir', ['-p', FOLDER]);
stopUdev();
stopKhugepaged();
const server = await library.openServer({ name: 'many', threads: 2 });
const kept = [];
for (let index = 0; index < alive; index++) kept.push(await server.add(loop(index)));
for (const { path } of kept) requireBlockDevice(path);
const watched = await server.add(loop(alive));
requireBlockDevice(watched.path);
const writers = fioUntilStopped(
  kept.map(({ path }) => path),
  RATE,
);
await churn(20);
await row('nobody', 0, () => sleep(QUIET_MS));
for (let step = 1; step <= STEPS; step++) await row('ublkts', (cycles / STEPS) * step, () => churn(cycles / STEPS));
await row('kublk', KUBLK_CYCLES, churnKublk);
await row('nobody', 0, () => sleep(QUIET_MS));
await writers.stop();
const { failed } = await library.deleteAllDevices();
await server.end();
const left = [...failed.map(({ message }) => message), ...(await leftovers())];
if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);

async function churn(count: number): Promise<void> {
  await inParallel(Array.from({ length: count }), AT_ONCE, async () => {
    const { id, path } = await server.add(churned);
    readFrom(path);
    await server.delete(id);
  });
}

async function churnKublk(): Promise<void> {
  const ids = Array.from({ length: KUBLK_CYCLES }, (_, cycle) => KUBLK_IDS + cycle);
  await inParallel(ids, AT_ONCE, kublkCycle);
}

/** `total`: the devices that have come and gone when `act` has ended. */
async function row(who: string, total: number, act: () => Promise<unknown>): Promise<void> {
  let seconds = 0;
  const { clat_ns } = await latencyDuring(watched.path, WATCHED_RATE, async () => {
    const begin = performance.now();
    await act();
    seconds = (performance.now() - begin) / 1000;
  });
  const { privateKb, descriptors, mappings } = held(server.pid);
  report('churn', {
    'who adds and deletes': who,
    'devices so far': total,
    'private MB': Math.round(privateKb / 102.4) / 10,
    descriptors,
    mappings,
    'files in /run/ublkts': readdirSync('/run/ublkts').length,
    devices: server.devices.length,
    'p50 ms': us(clat_ns.percentile?.['50.000000']) / 1000,
    'p99 ms': us(clat_ns.percentile?.['99.000000']) / 1000,
    'p99.9 ms': us(clat_ns.percentile?.['99.900000']) / 1000,
    'max ms': us(clat_ns.max) / 1000,
    seconds: Math.round(seconds),
  });
}
