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
      timeoutSeconds: 900,
    });
    await inGuest({
      // The reporter opens its file first, so the directory must exist.
      command: ['bash', '-c', 'mkdir -p /results && exec node "$@"', 'bash', ...command],
      environment: passedOn(),
      memory,
      packages,
      timeoutSeconds: 2400 * files.length,
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
  const long = process.env['UBLKTS_LONG'];
  return long ? { UBLKTS_LONG: long } : {};
}
