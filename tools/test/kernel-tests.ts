/** Runs files of test/kernel or test/ceph in a guest. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { inGuest } from '../harness/lab.ts';
import type { TestGuest } from './guests.ts';
import { nodeTestArguments, readCounts } from './node-tests.ts';
import type { OrderedOutput } from '../harness/ordered-output.ts';
import type { Tally } from '../harness/tally.ts';

export interface KernelTestOptions {
  /** Its files run one after another. */
  readonly guest: TestGuest;
  readonly output: OrderedOutput;
  /** A directory for temporary files. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** The limits for a test and for a file of tests, and for a test that UBLKTS_LONG has made longer. */
const TEST_SECONDS = 900;
const FILE_SECONDS = 2400;
const LONG_TEST_SECONDS = 7200;
/**
 * In the guest. With it, the types are taken out of a source once for all files of the guest, which takes an emulated
 * processor seconds. What the tests start does not get it (test/kernel/guest.ts).
 */
const COMPILE_CACHE = '/tmp/compiled-tests';

/** Makes the task of one guest, which has the counts of each file. Which files share one: guests.ts. */
export function kernelTestTask(options: KernelTestOptions): () => Promise<Map<string, Tally>> {
  const { guest, output, scratch, signal } = options;
  const { files, packages = [], memory = '3G' } = guest;
  const job = output.job();
  return async () => {
    const collectTo = await mkdtemp(path.join(scratch, 'kernel-'));
    const command = nodeTestArguments({
      files,
      countsFile: '/results/counts',
      concurrency: 1,
      timeoutSeconds: isLong() ? LONG_TEST_SECONDS : TEST_SECONDS,
    });
    await inGuest({
      // The reporter opens its file first, so the directory must exist.
      command: ['bash', '-c', 'mkdir -p /results && exec node "$@"', 'bash', ...command],
      environment: { ...passedOn(), NODE_COMPILE_CACHE: COMPILE_CACHE },
      memory,
      packages,
      timeoutSeconds: (isLong() ? 2 * LONG_TEST_SECONDS : FILE_SECONDS) * files.length,
      collectTo,
      onStdout: job.write,
      onStderr: job.write,
      signal,
    });
    job.end();
    return readCounts(path.join(collectTo, 'counts'), files);
  };
}

/** Passes on the request for longer tests. */
function passedOn(): Record<string, string> {
  return isLong() ? { UBLKTS_LONG: '1' } : {};
}

function isLong(): boolean {
  return process.env['UBLKTS_LONG'] === '1';
}
