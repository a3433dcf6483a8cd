/** The rows of a measurement: each has random requests of one kind, so many at a time. Pure. */

export interface BenchRow {
  readonly direction: 'read' | 'write';
  /** The value as fio takes it. */
  readonly blockSize: string;
  /** Requests on their way at a time. */
  readonly depth: number;
}

export const BENCH_ROWS: readonly BenchRow[] = [
  { direction: 'read', blockSize: '4k', depth: 1 },
  { direction: 'read', blockSize: '4k', depth: 4 },
  { direction: 'read', blockSize: '4k', depth: 32 },
  { direction: 'write', blockSize: '4k', depth: 32 },
  { direction: 'write', blockSize: '4k', depth: 128 },
  { direction: 'write', blockSize: '64k', depth: 32 },
  { direction: 'write', blockSize: '1m', depth: 8 },
];

/** Writing destroys what is on the device, so only those who say so get all the rows. */
export function rowsFor(write: boolean): readonly BenchRow[] {
  return write ? BENCH_ROWS : BENCH_ROWS.filter(({ direction }) => direction === 'read');
}

export function rowName({ direction, blockSize, depth }: BenchRow): string {
  return `QD ${depth} ${blockSize} ${direction}`;
}
