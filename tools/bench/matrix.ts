/** Lists what is measured: targets, data paths, and fio's rows. Pure. */
import { BENCH_ROWS, type BenchRow, rowName } from '../../src/device/bench/rows.ts';

export { rowName };

export const TARGETS = ['null', 'loop', 'stripe'] as const;
export type TargetName = (typeof TARGETS)[number];

export interface Mode {
  readonly name: string;
  /** kublk's flags, which are ours too. */
  readonly flags: string;
  /** Whether the client's memory lies in a registered buffer. */
  readonly shared?: true;
}

export const MODES: readonly Mode[] = [
  { name: 'plain', flags: '' },
  { name: '-b', flags: '-b' },
  { name: '-z', flags: '-z' },
  { name: '--auto_zc', flags: '--auto_zc' },
  { name: '-b --auto_zc', flags: '-b --auto_zc' },
  { name: '-u', flags: '-u' },
  { name: 'shmem_zc', flags: '--shmem_zc', shared: true },
];

export interface Row extends BenchRow {
  /** Requests that are measured. fio's clock has milliseconds: the fewer these take, the coarser the row. */
  readonly requests: number;
}

const REQUESTS: Readonly<Record<string, number>> = {
  'QD 1 4k read': 8000,
  'QD 4 4k read': 16_000,
  'QD 32 4k read': 20_000,
  'QD 32 4k write': 20_000,
  'QD 128 4k write': 20_000,
  'QD 32 64k write': 4000,
  'QD 8 1m write': 240,
};

/** The rows of `ublkts bench`. */
export const ROWS: readonly Row[] = BENCH_ROWS.map((row) => ({ ...row, requests: REQUESTS[rowName(row)]! }));

/** The modes of a quick run: those of most devices, and the one with the shortest path. */
export const QUICK_MODES: readonly { readonly target: TargetName; readonly mode: string }[] = [
  { target: 'null', mode: 'plain' },
  { target: 'loop', mode: 'plain' },
  { target: 'loop', mode: '--auto_zc' },
];

export const QUICK_ROWS: readonly Row[] = ROWS.filter(
  ({ blockSize, depth, direction }) =>
    (blockSize === '4k' && direction === 'read' && depth !== 4) || blockSize === '64k',
);

/** One measured cell, as the guest prints it: a line of JSON. */
export interface Cell {
  readonly target: TargetName;
  readonly mode: string;
  readonly row: string;
  readonly server: 'ublkts' | 'kublk' | 'kernel';
  readonly iops: number;
  /** Instructions per request of the server's threads, in its process and in the kernel for it. */
  readonly inServer: number | null;
}

export function isCell(value: unknown): value is Cell {
  return typeof value === 'object' && value !== null && 'iops' in value && 'server' in value;
}
