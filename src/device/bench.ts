/** `bench`: what fio makes of a device that is there, row by row, beside what its server counted meanwhile. */
import { closeSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { filesOf } from '../record/files.ts';
import { type DeviceStats, StatsReader } from '../stats/reader.ts';
import { claimForWriting, requireBlockDevice } from './bench/block-device.ts';
import { fioWords, optionsOf } from './bench/fio-options.ts';
import { type Figures, figuresOf, parseFioReport } from './bench/fio-report.ts';
import { type BenchRow, rowName, rowsFor } from './bench/rows.ts';
import { type FioRun, runFio } from './bench/run-fio.ts';
import { type Shares, sharesBetween } from './bench/shares.ts';
import { describeDevice } from './report/list.ts';
import { type DeviceReport, hasFeature } from './report/report.ts';

/** The time that fio may take beyond the time it was given: its start, and the requests under way at the end. */
const PATIENCE_MS = 60_000;

export interface BenchRequest {
  readonly device: number;
  /** Each row. */
  readonly seconds: number;
  /** Measure writing too, and destroy what is on the device. */
  readonly write: boolean;
  readonly signal: AbortSignal;
  /** Hears of each row before it is measured. */
  readonly onRow: (name: string, at: number, of: number) => void;
}

/** `bench --json` prints these very keys. */
export interface BenchReport {
  readonly device: number;
  readonly path: string;
  /** null when another program serves the device. */
  readonly target: DeviceReport['target'];
  readonly data_path: string | null;
  readonly seconds: number;
  readonly rows: readonly BenchRowReport[];
  /** Sentences that explain the rows to the person who reads them. */
  readonly notes: readonly string[];
}

/** Shares are parts of the requests, 0..1; null where nothing is known. */
export interface BenchRowReport extends Shares {
  readonly row: string;
  readonly iops: number;
  readonly bytes_per_second: number;
  readonly latency_us: Figures['latency'];
}

export async function benchDevice(request: BenchRequest): Promise<BenchReport> {
  const { seconds, write } = request;
  const device = await describeDevice(request.device);
  requireLive(device);
  await requireBlockDevice(device.path);
  const claim = write ? claimForWriting(device.path, device.id) : null;
  try {
    const { id, path, target, data_path } = device;
    const rows = await measureRows(device, request);
    return { device: id, path, target, data_path, seconds, rows, notes: notesOn(device) };
  } finally {
    if (claim !== null) closeSync(claim);
  }
}

function requireLive({ id, state }: DeviceReport): void {
  if (state === 'LIVE') return;
  throw new UblkError(`device ${id} is ${state}: nobody serves it`, {
    code: 'NOT_LIVE',
    device: id,
    hint: `\`ublkts list -n ${id}\` says why; \`ublkts recover -n ${id}\` if it can be recovered`,
  });
}

async function measureRows(device: DeviceReport, request: BenchRequest): Promise<BenchRowReport[]> {
  const rows = rowsFor(request.write);
  const readStats = statsOf(device);
  const reports: BenchRowReport[] = [];
  for (const row of rows) {
    request.onRow(rowName(row), reports.length + 1, rows.length);
    const before = readStats();
    const { iops, bytesPerSecond, latency } = await measure(row, device, request);
    const shares = sharesBetween(before, readStats());
    reports.push({ row: rowName(row), iops, bytes_per_second: bytesPerSecond, latency_us: latency, ...shares });
  }
  return reports;
}

function notesOn(device: DeviceReport): string[] {
  if (device.io === null || !hasFeature(device, 'SHMEM_ZC')) return [];
  return [
    'none of these requests can match: bench lets fio use memory of its own, which is not a registered buffer; ' +
      'fio --direct=1 --mem=mmapshared:FILE measures with the memory of a registered file',
  ];
}

/** null from a device of another program, whatever lies in /run under its id. */
function statsOf({ id, io }: DeviceReport): () => DeviceStats | null {
  if (io === null) return () => null;
  const reader = new StatsReader();
  return () => reader.read(filesOf(id).stats, { buffers: false, heat: false });
}

async function measure(row: BenchRow, { id, path }: DeviceReport, request: BenchRequest): Promise<Figures> {
  const { seconds, signal } = request;
  const words = fioWords(optionsOf(row, path, seconds));
  const run = await runFio(words, { timeoutMs: seconds * 1000 + PATIENCE_MS, signal });
  const job = parseFioReport(run.stdout);
  if (job === null || (job.error === 0 && run.exitCode !== 0)) throw failed(row, id, run);
  if (job.error !== 0) throw refused(row, id, job.error);
  return figuresOf(job, row);
}

/** The device said no. */
function refused(row: BenchRow, device: number, errno: number): UblkError {
  const message = `fio, ${rowName(row)} of device ${device}: ${errnoText(errno)}`;
  return new UblkError(message, { code: errnoName(errno), command: 'fio', device });
}

/** fio itself did. */
function failed(row: BenchRow, device: number, { exitCode, stdout, stderr }: FioRun): UblkError {
  const said = `${stderr}\n${stdout}`.split('\n').find((line) => line.trim() !== '');
  const message = `${rowName(row)} of device ${device}: ${said?.trim() ?? `fio ended with exit code ${exitCode}`}`;
  return new UblkError(message, { code: 'FIO', command: 'fio', device });
}
