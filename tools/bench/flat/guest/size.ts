import type { Report } from '../report.ts';
import { settledCost, warmUp } from './cost.ts';
import { onBoth } from './servers.ts';

/** Requests that are measured: fewer when they are large, and never few. */
const MOST = 20_000;
const LEAST = 400;
const BYTES = 512 << 20;

/** Writes of every size. */
export async function sizeCurve(sizes: readonly number[], report: Report): Promise<void> {
  await onBoth('-q 1 -d 128', async (device, server) => {
    await warmUp(
      device,
      sizes.map((bs) => ({ bs, number_ios: Math.ceil(requests(bs) / 8) })),
    );
    for (const bs of sizes)
      report(bs, server, await settledCost(device, { rw: 'randwrite', bs, number_ios: requests(bs) }));
  });
}

function requests(bytes: number): number {
  return Math.max(LEAST, Math.min(MOST, Math.floor(BYTES / bytes)));
}
