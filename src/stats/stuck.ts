/** Words for requests that have waited in the target for too long: for `list` and the monitor. */
import type { StuckStats } from './reader.ts';

/** A sentence without its beginning and its full stop; the device is its subject. `nowMs`: milliseconds since 1970. */
export function describeStuck({ requests, op, offset, sinceMs }: StuckStats, nowMs: number): string {
  const age = Math.round((nowMs - sinceMs) / 1000);
  const what = op === 'flush' ? op : `${op} at byte ${offset}`;
  if (requests === 1) return `its target has not answered a ${what} for ${age} s`;
  return `its target has not answered ${requests} requests, the oldest of them, a ${what}, for ${age} s`;
}
