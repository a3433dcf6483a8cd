/** test/kernel: node:test in guests. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { inGuest } from './lab.ts';
import { nodeTestArguments, readCounts } from './node-tests.ts';
import type { OrderedOutput } from './ordered-output.ts';
import type { Tally } from './tally.ts';

export interface KernelTestOptions {
  readonly files: readonly string[];
  /** Guests to share them. */
  readonly shares: number;
  readonly output: OrderedOutput;
  /** For files on their way. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Each task boots a guest for its share of the files. */
export function kernelTestTasks({
  files,
  shares,
  output,
  scratch,
  signal,
}: KernelTestOptions): (() => Promise<Tally>)[] {
  const used = Math.min(shares, files.length);
  return Array.from({ length: used }, (_none, share) => {
    const job = output.job();
    const own = files.filter((_file, index) => index % used === share);
    return async () => {
      const collectTo = path.join(scratch, `kernel-${share}`);
      await mkdir(collectTo);
      const command = nodeTestArguments({
        files: own,
        countsFile: '/results/counts.json',
        concurrency: 1,
        timeoutSeconds: 900,
      });
      await inGuest({
        // The reporter opens its file before anybody could make a directory for it.
        command: ['bash', '-c', 'mkdir -p /results && exec node "$@"', 'bash', ...command],
        environment: passedOn(),
        memory: '3G',
        timeoutSeconds: 3600,
        collectTo,
        onStdout: job.write,
        onStderr: job.write,
        signal,
      });
      job.end();
      return readCounts(path.join(collectTo, 'counts.json'));
    };
  });
}

/** Longer tests, when asked for. */
function passedOn(): Record<string, string> {
  const long = process.env['UBLKTS_LONG'];
  return long ? { UBLKTS_LONG: long } : {};
}
