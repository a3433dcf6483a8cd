/** Lists what the target nbd is measured with. Pure. */

/**
 * The clients of one server, in the order in which they are measured: the kernel's driver, and ublkts on two data paths and
 * with shared memory.
 */
export const CLIENTS = ['kernel', 'ublkts', 'ublkts --auto_zc', 'ublkts --shmem_zc'] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface NbdRow {
  readonly name: string;
  readonly direction: 'read' | 'write';
  readonly blockSize: string;
  readonly depth: number;
  /** Requests that are counted. */
  readonly requests: number;
}

export const NBD_ROWS: readonly NbdRow[] = [
  row('QD 1 4k read', 2000),
  row('QD 1 4k write', 2000),
  row('QD 32 4k read', 4000),
  row('QD 32 4k write', 4000),
  row('QD 32 64k read', 500),
  row('QD 32 64k write', 500),
  row('QD 4 1m read', 40),
  row('QD 4 1m write', 40),
];

/** How the guest's clock runs: on one CPU by its instructions, or on two CPUs with the host's. */
export const CLOCKS = ['counted', 'wall'] as const;
export type Clock = (typeof CLOCKS)[number];

/** One measured figure, as the guest prints it: a line of JSON. */
export interface NbdCell {
  readonly clock: Clock;
  readonly client: ClientName;
  readonly row: string;
  /** Requests per second of that clock. */
  readonly iops: number;
  /** Instructions of a request in the threads of ublkts; null where they are not counted. */
  readonly inServer: number | null;
}

export function isNbdCell(value: unknown): value is NbdCell {
  return typeof value === 'object' && value !== null && 'clock' in value && 'client' in value;
}

function row(name: string, requests: number): NbdRow {
  const [, depth = '', blockSize = '', direction = ''] = name.split(' ');
  return { name, direction: direction === 'read' ? 'read' : 'write', blockSize, depth: Number(depth), requests };
}
