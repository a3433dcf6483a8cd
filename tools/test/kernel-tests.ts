/** test/kernel: node:test in guests. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { inGuest } from '../harness/lab.ts';
import { nodeTestArguments, readCounts } from './node-tests.ts';
import type { OrderedOutput } from '../harness/ordered-output.ts';
import type { Tally } from '../harness/tally.ts';

export interface KernelTestOptions {
  readonly file: string;
  readonly output: OrderedOutput;
  /** For files on their way. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** A guest for a file: what one leaves behind is no other's, and a short one does not wait for a long one. */
export function kernelTestTask({ file, output, scratch, signal }: KernelTestOptions): () => Promise<Tally> {
  const job = output.job();
  return async () => {
    const collectTo = await mkdtemp(path.join(scratch, 'kernel-'));
    const command = nodeTestArguments({
      files: [file],
      countsFile: '/results/counts.json',
      concurrency: 1,
      timeoutSeconds: 900,
    });
    await inGuest({
      // The reporter opens its file before anybody could make a directory for it.
      command: ['bash', '-c', 'mkdir -p /results && exec node "$@"', 'bash', ...command],
      environment: passedOn(),
      memory: '3G',
      timeoutSeconds: 2400,
      collectTo,
      onStdout: job.write,
      onStderr: job.write,
      signal,
    });
    job.end();
    return readCounts(path.join(collectTo, 'counts.json'));
  };
}

/** Longer tests, when asked for. */
function passedOn(): Record<string, string> {
  const long = process.env['UBLKTS_LONG'];
  return long ? { UBLKTS_LONG: long } : {};
}
