/** The parts of a device's report that come from its record and its stats page, and not from the driver. */
import type { DeviceRecord } from '../../record/device-record.ts';
import type { GoingDevice } from '../../record/going-device.ts';
import type { ConnectionStats } from '../../stats/connections.ts';
import type { StatWay } from '../../stats/layout.ts';
import type { DeviceStats, Tally } from '../../stats/reader.ts';
import { describeHolder } from '../../block/holder.ts';
import type { BufferReport, ConnectionReport, DeletingReport, DeviceReport, IoReport, StuckReport } from './report.ts';

export async function deletingOf(going: GoingDevice): Promise<DeletingReport> {
  // Most lists have no device that is going, and start faster without this.
  const { holdersOfGoing } = await import('../remove/holders/going.ts');
  const holders = holdersOfGoing(going);
  return { since: going.since, holders: holders.map((holder) => ({ ...holder, text: describeHolder(holder) })) };
}

export function targetOf(record: DeviceRecord): NonNullable<DeviceReport['target']> {
  const { target, files, targetOptions } = record.spec;
  return { type: target, files: [...files], options: { ...targetOptions } };
}

export function buffersOf(record: DeviceRecord, stats: DeviceStats | null): BufferReport[] {
  return record.buffers.map((buffer) => {
    const hits = stats?.buffers.get(buffer.index);
    return {
      index: buffer.index,
      len: buffer.length,
      read_only: buffer.readOnly,
      source: buffer.source,
      matched: { requests: hits?.requests ?? 0, bytes: hits?.bytes ?? 0 },
    };
  });
}

export function ioOf(stats: DeviceStats | null): IoReport {
  const sum = (way: StatWay): Tally => {
    const total = { requests: 0, bytes: 0 };
    for (const queue of stats?.queues ?? []) {
      total.requests += queue.ways[way].requests;
      total.bytes += queue.ways[way].bytes;
    }
    return total;
  };
  const errors = (stats?.queues ?? []).flatMap((queue) => Object.values(queue.ops)).reduce((n, op) => n + op.errors, 0);
  const stuck = stats === null ? null : stuckOf(stats);
  return { matched: sum('matched'), registered: sum('registered'), copied: sum('copied'), errors, stuck };
}

export function connectionsOf(stats: DeviceStats | null): ConnectionReport[] | null {
  if (stats === null || stats.connections.length === 0) return null;
  return stats.connections.map(connectionReport);
}

export function connectionReport(connection: ConnectionStats): ConnectionReport {
  const { thread, state, sinceMs, reconnects, inFlight, sentBytes, receivedBytes } = connection;
  return {
    thread,
    state,
    since: new Date(sinceMs).toISOString(),
    reconnects,
    in_flight: inFlight,
    sent_bytes: sentBytes,
    received_bytes: receivedBytes,
  };
}

function stuckOf({ stuck }: DeviceStats): StuckReport | null {
  if (stuck === null) return null;
  const { requests, op, offset, sinceMs } = stuck;
  return { requests, op, offset, since: new Date(sinceMs).toISOString() };
}
