/** Puts load on a device from all CPUs of a guest with four, and measures whether its server grows. */
import type { DeviceReport } from '../../../src/device/report/report.ts';
import { fio, type FioJob } from '../../guest/fio.ts';
import { BUDGETS, type Figure } from './figures.ts';
import { privateDirtyMb } from './memory.ts';

const MILLION = 1_000_000;
/** fio's jobs: one per CPU. */
export const JOBS = 4;
const JOB: FioJob = {
  norandommap: true,
  bs: '4k',
  iodepth: 32,
  numjobs: JOBS,
  group_reporting: true,
  thread: true,
};

type Loaded = Pick<DeviceReport, 'path' | 'ublksrv_pid'>;

/** The second million counts: the first is what warms a device up, whatever came before. `size`: the part that is used. */
export async function growth(of: string, { path, ublksrv_pid }: Loaded, size: string): Promise<Figure> {
  const sizes = [privateDirtyMb(ublksrv_pid)];
  for (let millions = 0; millions < 2; millions++) {
    await load(path, size, MILLION / JOBS / 2);
    sizes.push(privateDirtyMb(ublksrv_pid));
  }
  const [before = Number.NaN, first = Number.NaN, second = Number.NaN] = sizes;
  return {
    what: `growth over 1,000,000 requests of 4k, ${of}`,
    budget: BUDGETS.growthMb,
    figure: second - first,
    unit: 'MB',
    note: `${before.toFixed(1)} MB before, ${first.toFixed(1)} after a million, ${second.toFixed(1)} after two; the budget is the tolerance`,
  };
}

/** Random reads, then as many writes; every queue gets some. */
export async function load(path: string, size: string, requestsOfAJob: number): Promise<void> {
  for (const rw of ['randread', 'randwrite']) {
    const job: FioJob = { ...JOB, rw, size, io_size: '1t', number_ios: requestsOfAJob };
    const { error, requests, stderr } = await fio(path, job);
    if (error !== 0 || requests !== JOBS * requestsOfAJob) throw new Error(`fio: ${error}, ${requests} ${stderr}`);
  }
}
