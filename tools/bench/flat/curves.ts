/** The curves of what a request costs: each varies one thing and keeps the others, and should be flat. Pure. */

export const CURVE_NAMES = ['depth', 'queues', 'size', 'buffers', 'devices'] as const;
export type CurveName = (typeof CURVE_NAMES)[number];
export type Server = 'ublkts' | 'kublk';

export interface Curve {
  readonly name: CurveName;
  /** Names what varies. */
  readonly title: string;
  readonly values: readonly number[];
  readonly servers: readonly Server[];
  /** Says what does not vary. */
  readonly load: string;
  /** The memory of the guest. */
  readonly memory: string;
}

export const CURVES: readonly Curve[] = [
  {
    name: 'depth',
    title: 'queue depth',
    values: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    servers: ['ublkts', 'kublk'],
    load: '-q 1 -d 1024; one fio job with iodepth=x, 4k reads',
    memory: '2G',
  },
  {
    name: 'queues',
    title: 'queues',
    values: [1, 2, 4, 8, 16],
    servers: ['ublkts'],
    load: '-q x -d 128 on x CPUs, whose instructions are added up; a fio job on each CPU with iodepth=32, 4k reads',
    memory: '3G',
  },
  {
    name: 'size',
    title: 'bytes per request',
    // Less is EINVAL: the DMA alignment of null is a page.
    values: [4096, 16_384, 65_536, 262_144, 1_048_576],
    servers: ['ublkts', 'kublk'],
    load: '-q 1 -d 128; one fio job with iodepth=32, bs=x, writes',
    memory: '2G',
  },
  {
    name: 'buffers',
    title: 'registered buffers',
    values: [1, 4, 16, 64, 256],
    servers: ['ublkts'],
    load: '-q 1 -d 128 --shmem_zc; one fio job with iodepth=32, 4k reads that all match in one of the buffers',
    memory: '2G',
  },
  {
    name: 'devices',
    title: 'devices',
    values: [1, 5, 20, 50],
    servers: ['ublkts'],
    load: '-q 1 -d 128; one fio job with iodepth=32 on one of the devices, 4k reads',
    memory: '5G',
  },
];

/** One measured point, as the guest prints it: a line of JSON. */
export interface Point {
  readonly curve: CurveName;
  /** The value that varies: a depth, a size ... */
  readonly value: number;
  readonly server: Server;
  /** Instructions per request, of client, kernel and server together. */
  readonly cost: number;
}

export function isPoint(value: unknown): value is Point {
  return typeof value === 'object' && value !== null && 'curve' in value && 'cost' in value;
}

/** The points of a curve in the order of their values. */
export function pointsOf(points: readonly Point[], curve: CurveName, server: Server): Point[] {
  return points.filter((point) => point.curve === curve && point.server === server).sort((a, b) => a.value - b.value);
}

const PAGE = 4096;

/** Instructions for 4 KiB of data. */
export function costOfPage({ value, cost }: Point): number {
  return (cost * PAGE) / value;
}

/** Writes a size as 64k; other values stay as they are. */
export function valueName(curve: CurveName, value: number): string {
  if (curve !== 'size' || value < 1024) return String(value);
  return value < 1 << 20 ? `${value / 1024}k` : `${value / (1 << 20)}m`;
}
