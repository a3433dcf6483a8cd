/**
 * The counters that the block layer keeps for a disk, whoever serves it: /sys/block/DISK/stat
 * (Documentation/block/stat.rst, Linux 7.3). They are what the client sees: a request is in flight from its submission to
 * its completion.
 */
import { readFileSync } from 'node:fs';

/** Counts have 64 bits. Times are milliseconds in 32 bits, and wrap (see elapsedMs). */
export interface BlockCounters {
  readonly reads: number;
  readonly readBytes: number;
  readonly readMs: number;
  readonly writes: number;
  readonly writtenBytes: number;
  readonly writeMs: number;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Time with at least one request in flight. */
  readonly busyMs: number;
  /** Requests in flight, summed over time. */
  readonly queueMs: number;
}

const SECTOR = 512;

/** Returns null when there is no such disk. */
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

/** The time between two readings of a counter of which the kernel prints the low 32 bits. */
export function elapsedMs(from: number, to: number): number {
  return (to - from) >>> 0;
}
