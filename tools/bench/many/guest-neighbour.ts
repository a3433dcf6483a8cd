/**
 * Runs inside a guest: `node tools/bench/many/guest-neighbour.ts CYCLES`. The latency of a device under fio while devices
 * are added and deleted beside it: nobody, ublkts on the same server, kublk; and the same of a device of kublk's.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { requireBlockDevice } from '../../guest/fio.ts';
import { library } from '../../guest/library.ts';
import { stopUdev } from '../../guest/udev.ts';
import { report } from './rows.ts';

const [cycles = 200] = process.argv.slice(2).map(Number);
const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 500;
const OTHER_ID = 600;
const QUIET_MS = 20_000;
const SIZE = ['-t', 'null', '-q', '1', '-d', '32'];
const run = promisify(execFile);

interface Latency {
  readonly total_ios: number;
  readonly clat_ns: { readonly max: number; readonly percentile: Readonly<Record<string, number>> };
}

/** Microseconds. */
function us(ns = Number.NaN): number {
  return Math.round(ns / 1000);
}

/** fio on the device for as long as `act` takes. */
async function latency(device: string, act: () => Promise<unknown>): Promise<Latency> {
  requireBlockDevice(device);
  const words = `--name=n --filename=${device} --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --rate_iops=500`;
  const fio = spawn('fio', [...words.split(' '), '--time_based', '--runtime=3600', '--output-format=json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  fio.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await sleep(3000);
  await act();
  fio.kill('SIGINT');
  await once(fio, 'close');
  const report = JSON.parse(text.slice(text.indexOf('{'))) as { jobs: { read: Latency }[] };
  return report.jobs[0]!.read;
}

async function ours(): Promise<void> {
  for (let cycle = 0; cycle < cycles; cycle++) {
    const { id } = await server.add({ target: 'null', queues: 1, depth: 32, quiet: true });
    await server.delete(id);
  }
}

async function kublks(): Promise<void> {
  for (let cycle = 0; cycle < cycles; cycle++) {
    await run(KUBLK, ['add', ...SIZE, '-n', String(OTHER_ID)]);
    await run(KUBLK, ['del', '-n', String(OTHER_ID)]);
  }
}

stopUdev();
const server = await library.openServer({ name: 'many', threads: 1 });
const { path } = await server.add({ target: 'null', queues: 1, depth: 32, quiet: true });
execFileSync(KUBLK, ['add', ...SIZE, '-n', String(KUBLK_ID)], { stdio: 'ignore' });
await ours();
const ACTS = { nobody: () => sleep(QUIET_MS), ublkts: ours, kublk: kublks } as const;
for (const [device, name] of [
  [path, 'ublkts'],
  [`/dev/ublkb${KUBLK_ID}`, 'kublk'],
] as const) {
  for (const [who, act] of Object.entries(ACTS)) {
    let took = 0;
    const { total_ios, clat_ns } = await latency(device, async () => {
      const begin = performance.now();
      await act();
      took = performance.now() - begin;
    });
    const { percentile } = clat_ns;
    report('neighbour', {
      'device under fio': name,
      [`${cycles} devices come and go`]: who,
      requests: total_ios,
      'p50 us': us(percentile['50.000000']),
      'p99 us': us(percentile['99.000000']),
      'p99.9 us': us(percentile['99.900000']),
      'max us': us(clat_ns.max),
      'ms of a cycle': Math.round((10 * took) / cycles) / 10,
    });
  }
}
execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
await library.deleteAllDevices();
await server.end();
