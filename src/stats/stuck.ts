/** Words for requests that have waited in the target for too long: for `list` and the monitor. */
import { secondsSince } from './age.ts';
import type { StuckStats } from './reader.ts';

/** A sentence without its beginning and its full stop; the device is its subject. `nowMs`: milliseconds since 1970. */
export function describeStuck({ requests, op, offset, sinceMs }: StuckStats, nowMs: number): string {
  const age = Math.round(secondsSince(sinceMs, nowMs));
  const what = op === 'flush' ? op : `${op} at byte ${offset}`;
  if (requests === 1) return `its target has not answered a ${what} for ${age} s`;
  return `its target has not answered ${requests} requests, the oldest of them, a ${what}, for ${age} s`;
}
