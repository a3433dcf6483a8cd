/** Runs fio on a block device. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';

export interface FioJob {
  /** fio's own option names. `true` for one without a value. */
  readonly [option: string]: string | number | true;
}

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

/** With O_DIRECT through io_uring, unless the job says otherwise. Its exit code is in `error` too. */
export async function fio(device: string, job: FioJob): Promise<FioResult> {
  requireBlockDevice(device);
  const options: FioJob = { name: 'job', filename: device, ioengine: 'io_uring', direct: 1, ...job };
  const args = Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
  const { code, stdout, stderr } = await runFio([...args, '--output-format=json']);
  const start = stdout.indexOf('{');
  if (start < 0) throw new Error(`fio printed no JSON (exit code ${code}): ${stderr}${stdout}`);
  const report: FioReport = JSON.parse(stdout.slice(start));
  const [first] = report.jobs;
  if (first === undefined) throw new Error(`fio ran no job: ${stdout}`);
  const [reads, writes, trims] = [direction(first.read), direction(first.write), direction(first.trim)];
  return {
    error: first.error === 0 ? code : first.error,
    reads,
    writes,
    trims,
    requests: reads.requests + writes.requests + trims.requests,
    iops: reads.iops + writes.iops + trims.iops,
    stderr,
  };
}

/** Without it fio makes a file of that name, and tests that. */
export function requireBlockDevice(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isBlockDevice()) throw new Error(`${path} is not a block device`);
}

interface FioDirection {
  readonly total_ios: number;
  readonly io_bytes: number;
  readonly iops: number;
}

interface FioReport {
  readonly jobs: readonly {
    readonly error: number;
    readonly read: FioDirection;
    readonly write: FioDirection;
    readonly trim: FioDirection;
  }[];
}

function direction({ total_ios, io_bytes, iops }: FioDirection): Direction {
  return { requests: total_ios, bytes: io_bytes, iops };
}

function runFio(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    // fio leaves files where it runs.
    execFile('fio', args, { cwd: '/tmp', maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
    });
  });
}
