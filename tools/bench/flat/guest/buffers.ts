import { execFileSync } from 'node:child_process';
import { hugeFile } from '../../../guest/hugetlbfs.ts';
import { library } from '../../../../test/kernel/support/library.ts';
import { add, ublkts } from '../../../guest/ublkts.ts';
import type { Report } from '../report.ts';
import { undisturbed } from '../../undisturbed.ts';
import { RUNS, settledCost, warmUp } from './cost.ts';

const REQUESTS = 24_000;
const FOLDER = '/dev/shm/bench';
/** The size of a buffer that no I/O uses. It has small pages, so that the driver has several ranges to look through. */
const OTHER_BUFFER = '64K';

/** All I/O is in buffer 0, and buffers are added beside it. */
export async function buffersCurve(counts: readonly number[], report: Report): Promise<void> {
  const huge = hugeFile(4);
  const { id, path } = await add(`-t null -q 1 -d 128 --shmem_zc --htlb ${huge.path}`);
  const job = { mem: `mmaphuge:${huge.path}`, number_ios: REQUESTS } as const;
  execFileSync('mkdir', ['-p', FOLDER]);
  await undisturbed(path, async () => {
    await warmUp(path, [job]);
    for (let [registered, at] = [1, 0]; at < counts.length; at++) {
      for (; registered < counts[at]!; registered++) await register(id, `${FOLDER}/${registered}`);
      const before = await matched(id);
      const instructions = await settledCost(path, { ...job, rw: 'randread' });
      const requests = (await matched(id)) - before;
      if (requests !== RUNS * REQUESTS) throw new Error(`${requests} of ${RUNS * REQUESTS} requests matched`);
      report(registered, 'ublkts', instructions);
    }
  });
  await ublkts(`del -n ${id}`);
  huge.remove();
}

async function register(id: number, path: string): Promise<void> {
  execFileSync('fallocate', ['--length', OTHER_BUFFER, path]);
  await library.registerBuffer(id, { kind: 'path', path, readOnly: false });
}

async function matched(id: number): Promise<number> {
  const { buffers } = await library.describeDevice(id);
  return buffers?.find(({ index }) => index === 0)?.matched.requests ?? 0;
}
