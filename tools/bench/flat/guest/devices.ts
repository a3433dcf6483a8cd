import { library } from '../../../../test/kernel/support/library.ts';
import type { Report } from '../report.ts';
import { undisturbed } from '../../undisturbed.ts';
import { settledCost, warmUp } from './cost.ts';

const REQUESTS = 24_000;

/** All I/O goes to the first device, and devices are added beside it. */
export async function devicesCurve(counts: readonly number[], report: Report): Promise<void> {
  const first = await addNull();
  await undisturbed(first.path, () => warmUp(first.path, [{ number_ios: REQUESTS }]));
  const devices = [first];
  for (const count of counts) {
    while (devices.length < count) devices.push(await addNull());
    await undisturbed(first.path, async () => {
      report(count, 'ublkts', await settledCost(first.path, { rw: 'randread', number_ios: REQUESTS }));
    });
  }
  await library.deleteAllDevices();
}

function addNull() {
  return library.addDevice({ target: 'null', queues: 1, dataPath: 'copy' });
}
