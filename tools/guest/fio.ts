/** Runs fio on a block device. */
import { statSync } from 'node:fs';
import { type FioOptions, fioWords } from '../../src/device/bench/fio-options.ts';
import { type FioDirection, parseFioReport } from '../../src/device/bench/fio-report.ts';
import { runFio } from '../../src/device/bench/run-fio.ts';

export type FioJob = FioOptions;

export interface FioResult {
  /** errno, 0 when all went well. */
  readonly error: number;
  readonly reads: Direction;
  readonly writes: Direction;
  readonly trims: Direction;
  readonly requests: number;
  readonly iops: number;
  readonly stderr: string;
}

export interface Direction {
  readonly requests: number;
  readonly bytes: number;
  readonly iops: number;
}

/**
 * Runs fio with O_DIRECT through io_uring, unless the job says otherwise. A failure of fio itself is in `error` too.
 */
export async function fio(device: string, job: FioJob): Promise<FioResult> {
  requireBlockDevice(device);
  const options: FioJob = { name: 'job', filename: device, ioengine: 'io_uring', direct: 1, ...job };
  const { exitCode, stdout, stderr } = await runFio([...fioWords(options), '--output-format=json']);
  const first = parseFioReport(stdout);
  if (first === null) throw new Error(`fio printed no report (exit code ${exitCode}): ${stderr}${stdout}`);
  const [reads, writes, trims] = [direction(first.read), direction(first.write), direction(first.trim)];
  return {
    error: first.error === 0 ? exitCode : first.error,
    reads,
    writes,
    trims,
    requests: reads.requests + writes.requests + trims.requests,
    iops: reads.iops + writes.iops + trims.iops,
    stderr,
  };
}

/** Without this check fio makes a regular file of that name, and tests that. */
export function requireBlockDevice(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isBlockDevice()) throw new Error(`${path} is not a block device`);
}

function direction({ total_ios, io_bytes, iops }: FioDirection): Direction {
  return { requests: total_ios, bytes: io_bytes, iops };
}
