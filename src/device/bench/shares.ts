/** How the data of a row's requests travelled, from the device's counters before and after it. Pure. */
import type { StatWay } from '../../stats/layout.ts';
import type { DeviceStats } from '../../stats/reader.ts';

/** Parts of the requests that carried data, 0..1. */
export interface Shares {
  readonly matched: number | null;
  readonly registered: number | null;
  readonly copied: number | null;
}

const UNKNOWN: Shares = { matched: null, registered: null, copied: null };

/** All null without counters, without requests, and when another server has begun to count anew in between. */
export function sharesBetween(before: DeviceStats | null, after: DeviceStats | null): Shares {
  if (before === null || after === null || before.serverPid !== after.serverPid) return UNKNOWN;
  const requests = (way: StatWay) => total(after, way) - total(before, way);
  const [matched, registered, copied] = [requests('matched'), requests('registered'), requests('copied')];
  const all = matched + registered + copied;
  return all === 0 ? UNKNOWN : { matched: matched / all, registered: registered / all, copied: copied / all };
}

function total(stats: DeviceStats, way: StatWay): number {
  return stats.queues.reduce((sum, { ways }) => sum + ways[way].requests, 0);
}
