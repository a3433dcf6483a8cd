import type { Report } from '../report.ts';
import { settledCost, warmUp } from './cost.ts';
import { onBoth } from './servers.ts';

const REQUESTS = 24_000;

/** One queue, whose depth is used in part. */
export async function depthCurve(depths: readonly number[], report: Report): Promise<void> {
  await onBoth('-q 1 -d 1024', async (device, server) => {
    await warmUp(
      device,
      depths.map((iodepth) => ({ iodepth, number_ios: REQUESTS / 8 })),
    );
    for (const iodepth of depths)
      report(iodepth, server, await settledCost(device, { rw: 'randread', iodepth, number_ios: REQUESTS }));
  });
}
