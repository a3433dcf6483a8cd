/**
 * What the block layer counts for a disk, whoever serves it: /sys/block/DISK/stat (Documentation/block/stat.rst, Linux
 * 7.3). The client's side of the numbers: a request is on its way from the client's submission to its completion.
 */
import { readFileSync } from 'node:fs';

/** Counts are 64-bit; times are milliseconds in 32 bits and wrap (`elapsedMs`). */
export interface BlockCounters {
  readonly reads: number;
  readonly readBytes: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeMs: number;
  /** Requests on their way now. */
  readonly inFlight: number;
  /** Time with at least one request on its way. */
  readonly busyMs: number;
  /** Requests on their way, summed over time. */
  readonly queueMs: number;
}

const SECTOR = 512;

/** null: there is no such disk. */
export function readBlockCounters(disk: string, sysfs = '/sys'): BlockCounters | null {
  try {
    return parseBlockCounters(readFileSync(`${sysfs}/block/${disk}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

export function parseBlockCounters(text: string): BlockCounters | null {
  const fields = text.trim().split(/\s+/).map(Number);
  if (fields.length < 11 || fields.some(Number.isNaN)) return null;
  const field = (at: number) => fields[at] ?? 0;
  return {
    reads: field(0),
    readBytes: field(2) * SECTOR,
    readMs: field(3),
    writes: field(4),
    writtenBytes: field(6) * SECTOR,
    writeMs: field(7),
    inFlight: field(8),
    busyMs: field(9),
    queueMs: field(10),
  };
}

/** Between two readings of a time: the kernel prints the low 32 bits of it. */
export function elapsedMs(from: number, to: number): number {
  return (to - from) >>> 0;
}
