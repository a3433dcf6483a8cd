/** Reads the figures of fio's one job out of its JSON. Pure. */
import type { BenchRow } from './rows.ts';

/** Microseconds from submission to completion (fio's clat); null when nothing completed. */
export interface Latency {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface Figures {
  readonly iops: number;
  readonly bytesPerSecond: number;
  readonly latency: Latency;
}

export interface FioDirection {
  readonly total_ios: number;
  readonly io_bytes: number;
  readonly iops: number;
  /** Bytes a second. */
  readonly bw_bytes: number;
  readonly clat_ns: {
    /** Requests that were timed. */
    readonly N: number;
    readonly mean: number;
    /** By percent: `50.000000`. Left out when nothing completed. */
    readonly percentile?: Readonly<Record<string, number>>;
  };
}

export interface FioJobReport {
  /** errno, 0 when all went well. */
  readonly error: number;
  readonly read: FioDirection;
  readonly write: FioDirection;
  readonly trim: FioDirection;
}

/** Returns null when fio printed no report. Text before the report is for people and is skipped. */
export function parseFioReport(stdout: string): FioJobReport | null {
  const start = stdout.indexOf('{');
  if (start === -1) return null;
  const { jobs }: { jobs?: readonly FioJobReport[] } = JSON.parse(stdout.slice(start));
  return jobs?.[0] ?? null;
}

export function figuresOf(job: FioJobReport, { direction }: BenchRow): Figures {
  const { iops, bw_bytes: bytesPerSecond, clat_ns: clat } = job[direction];
  return {
    iops,
    bytesPerSecond,
    latency: {
      mean: clat.N > 0 ? microseconds(clat.mean) : null,
      p50: percentile(clat, '50.000000'),
      p99: percentile(clat, '99.000000'),
    },
  };
}

function percentile({ N, percentile }: FioDirection['clat_ns'], percent: string): number | null {
  const ns = percentile?.[percent];
  return N === 0 || ns === undefined ? null : microseconds(ns);
}

function microseconds(ns: number): number {
  return Math.round(ns) / 1000;
}
