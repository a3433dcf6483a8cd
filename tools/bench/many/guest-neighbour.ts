/**
 * Runs inside a guest: `node tools/bench/many/guest-neighbour.ts CYCLES`. The latency of a device under fio while devices
 * are added and deleted beside it: nobody, ublkts on the same server, kublk; and the same of a device of kublk's.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { library } from '../../guest/library.ts';
import { stopUdev } from '../../guest/udev.ts';
import { KUBLK, kublkCycle, NULL_DEVICE } from './kublk-cycle.ts';
import { latencyDuring, us } from './latency.ts';
import { report } from './rows.ts';

const [cycles = 200] = process.argv.slice(2).map(Number);
const KUBLK_ID = 500;
const OTHER_ID = 600;
const RATE = 500;
const QUIET_MS = 20_000;

async function ours(): Promise<void> {
  for (let cycle = 0; cycle < cycles; cycle++) {
    const { id } = await server.add({ target: 'null', queues: 1, depth: 32, quiet: true });
    await server.delete(id);
  }
}

async function kublks(): Promise<void> {
  for (let cycle = 0; cycle < cycles; cycle++) await kublkCycle(OTHER_ID);
}

stopUdev();
const server = await library.openServer({ name: 'many', threads: 1 });
const { path } = await server.add({ target: 'null', queues: 1, depth: 32, quiet: true });
execFileSync(KUBLK, ['add', ...NULL_DEVICE, '-n', String(KUBLK_ID)], { stdio: 'ignore' });
await ours();
const ACTS = { nobody: () => sleep(QUIET_MS), ublkts: ours, kublk: kublks } as const;
for (const [device, name] of [
  [path, 'ublkts'],
  [`/dev/ublkb${KUBLK_ID}`, 'kublk'],
] as const) {
  for (const [who, act] of Object.entries(ACTS)) {
    let took = 0;
    const { total_ios, clat_ns } = await latencyDuring(device, RATE, async () => {
      const begin = performance.now();
      await act();
      took = performance.now() - begin;
    });
    const { percentile } = clat_ns;
    report('neighbour', {
      'device under fio': name,
      [`${cycles} devices come and go`]: who,
      requests: total_ios,
      'p50 us': us(percentile?.['50.000000']),
      'p99 us': us(percentile?.['99.000000']),
      'p99.9 us': us(percentile?.['99.900000']),
      'max us': us(clat_ns.max),
      'ms of a cycle': who === 'nobody' ? '' : Math.round((10 * took) / cycles) / 10,
    });
  }
}
execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
await library.deleteAllDevices();
await server.end();
