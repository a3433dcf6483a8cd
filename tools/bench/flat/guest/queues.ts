import { cpus } from 'node:os';
import type { DeviceReport } from '../../../../src/device/report/report.ts';
import { add, ublkts } from '../../../guest/ublkts.ts';
import type { Report } from '../report.ts';
import { undisturbed } from '../../undisturbed.ts';
import { settledCost, warmUp } from './cost.ts';

/** Requests of all jobs together. */
const REQUESTS = 32_000;
/** Requests of each job, because every queue's thread has code of its own to compile. */
const WARM_UP_REQUESTS = 16_000;

/** A guest has one value: the driver gives a device no more queues than there are CPUs. */
export async function queuesCurve([queues = 1]: readonly number[], report: Report): Promise<void> {
  if (cpus().length !== queues) throw new Error(`${queues} queues want as many CPUs, not ${cpus().length}`);
  const { id, path, nr_hw_queues } = await addNull(queues);
  if (nr_hw_queues !== queues) throw new Error(`the device has ${nr_hw_queues} queues, not ${queues}`);
  const job = {
    numjobs: queues,
    number_ios: REQUESTS / queues,
    group_reporting: true,
    thread: true,
    cpus_allowed: `0-${queues - 1}`,
    cpus_allowed_policy: 'split',
  } as const;
  await undisturbed(path, async () => {
    await warmUp(path, [{ ...job, number_ios: WARM_UP_REQUESTS }]);
    report(queues, 'ublkts', await settledCost(path, { ...job, rw: 'randread' }));
  });
  await ublkts(`del -n ${id}`);
}

/**
 * While all CPUs wait for the disk, the clock that counts instructions jumps from timer to timer, and over the minute that
 * a server has to start. The second time nothing has to be read.
 */
async function addNull(queues: number): Promise<DeviceReport> {
  const line = `-t null -q ${queues} -d 128 --data_path copy`;
  return add(line).catch(() => add(line));
}
