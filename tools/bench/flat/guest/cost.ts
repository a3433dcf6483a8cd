/** Measures instructions per request, as fio sees them on a clock where one instruction is a nanosecond. */
import { fio, type FioJob } from '../../../guest/fio.ts';
import { median } from '../../median.ts';

/** The options of all jobs, unless they say otherwise. */
const JOB: FioJob = { norandommap: true, bs: '4k', iodepth: 32, size: '1g' };
const WARM_UP_ROUNDS = 2;
/** Runs per job. The first one does not count. */
export const RUNS = 4;

/** Runs the job once, and throws when a request failed. */
export async function cost(device: string, job: FioJob): Promise<number> {
  const result = await fio(device, { ...JOB, ...job });
  if (result.error !== 0) throw new Error(`fio on ${device}: ${result.error} ${result.stderr}`);
  return Math.round(1e9 / result.iops);
}

/**
 * The median of all runs but the first: what has just changed beside the device makes V8 compile some of its
 * code anew, in the server and in who looks on, and that costs as much as thousands of requests.
 */
export async function settledCost(device: string, job: FioJob): Promise<number> {
  const costs: number[] = [];
  for (let run = 0; run < RUNS; run++) costs.push(await cost(device, job));
  return median(costs.slice(1));
}

/**
 * Runs every job in both directions, so that the JIT has seen all depths, reads and writes before anything is measured.
 */
export async function warmUp(device: string, jobs: readonly FioJob[]): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const job of jobs) {
      for (const rw of ['randread', 'randwrite']) await cost(device, { ...job, rw });
    }
  }
}
