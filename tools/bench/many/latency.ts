/** The latency of a device under a little I/O, while something happens beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireBlockDevice } from '../../guest/fio.ts';

export interface Latency {
  readonly total_ios: number;
  /** fio gives no percentiles when no request ended. */
  readonly clat_ns: { readonly max: number; readonly percentile?: Readonly<Record<string, number>> };
}

/** Microseconds. */
export function us(ns = Number.NaN): number {
  return Math.round(ns / 1000);
}

/** Runs fio on the device for as long as `act` takes: 4k reads, `rate` of them per second. */
export async function latencyDuring(device: string, rate: number, act: () => Promise<unknown>): Promise<Latency> {
  requireBlockDevice(device);
  const words = `--name=n --filename=${device} --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --rate_iops=${rate}`;
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
