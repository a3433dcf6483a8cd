/** Clients of the demo's devices. What they do changes every few seconds, each at its own pace. */
import { type FioJob, fio } from '../guest/fio.ts';

const COMMON = { size: '64M', bs: '4k', iodepth: 8, time_based: true, rate_process: 'poisson' } as const;

/** Starts clients that never end by themselves: two of `device`, one of them with its memory in `buffer`, and one of `other`. */
export function keepBusy(device: string, buffer: string, other: string): void {
  const shared = { ...COMMON, mem: `mmapshared:${buffer}` };
  void repeat(device, [
    { ...shared, rw: 'randrw', rate_iops: '120,80', runtime: 12 },
    { ...shared, rw: 'randread', rate_iops: 40, runtime: 7 },
    { ...shared, rw: 'randwrite', rate_iops: 160, runtime: 9 },
  ]);
  void repeat(device, [
    { ...COMMON, rw: 'randread', rate_iops: 30, runtime: 6 },
    { ...COMMON, rw: 'randrw', rate_iops: '100,60', runtime: 11 },
    { ...COMMON, rw: 'randwrite', bs: '64k', rate_iops: 12, runtime: 8 },
  ]);
  void repeat(other, [
    { ...COMMON, rw: 'randread', rate_iops: 50, runtime: 10 },
    { ...COMMON, rw: 'randread', iodepth: 1, rate_iops: 15, runtime: 10 },
  ]);
}

/** One job after the other, for ever. A client fails when its device is deleted, which the monitor can do. */
async function repeat(device: string, jobs: readonly FioJob[]): Promise<void> {
  try {
    for (;;) for (const job of jobs) await fio(device, job);
  } catch {
    // There is no such device any more.
  }
}
