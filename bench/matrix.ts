/** What is measured: targets, ways for data, and fio's rows. Pure. */

export const TARGETS = ['null', 'loop', 'stripe'] as const;
export type TargetName = (typeof TARGETS)[number];

export interface Mode {
  readonly name: string;
  /** kublk's flags, which are ours too. */
  readonly flags: string;
  /** The client's buffers are in a registered one. */
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

export interface Row {
  readonly direction: 'read' | 'write';
  readonly blockSize: string;
  readonly depth: number;
  /** Requests that are measured. */
  readonly requests: number;
}

export const ROWS: readonly Row[] = [
  { direction: 'read', blockSize: '4k', depth: 1, requests: 8000 },
  { direction: 'read', blockSize: '4k', depth: 4, requests: 8000 },
  { direction: 'read', blockSize: '4k', depth: 32, requests: 10_000 },
  { direction: 'write', blockSize: '4k', depth: 32, requests: 10_000 },
  { direction: 'write', blockSize: '4k', depth: 128, requests: 10_000 },
  { direction: 'write', blockSize: '64k', depth: 32, requests: 3000 },
  { direction: 'write', blockSize: '1m', depth: 8, requests: 400 },
];

/** The rows that CI looks at. */
export const QUICK_ROWS: readonly Row[] = ROWS.filter(
  ({ blockSize, depth, direction }) =>
    (blockSize === '4k' && direction === 'read' && depth !== 4) || blockSize === '64k',
);

export function rowName({ direction, blockSize, depth }: Row): string {
  return `QD ${depth} ${blockSize} ${direction}`;
}

/** One measured cell, as the guest prints it: a line of JSON. */
export interface Cell {
  readonly target: TargetName;
  readonly mode: string;
  readonly row: string;
  readonly server: 'ublkts' | 'kublk' | 'kernel';
  readonly iops: number;
}

export function isCell(value: unknown): value is Cell {
  return typeof value === 'object' && value !== null && 'iops' in value && 'server' in value;
}
