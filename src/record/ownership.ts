/** Whether a record is about the device that now has its id: another program may have taken the id since. */
import { instanceOf } from '../control/discovery.ts';
import { featuresOf } from '../spec/device-spec.ts';
import type { DeviceRecord } from './device-record.ts';
import { readProcess } from './process-state.ts';
import { isElsewhere, isServer } from './server-identity.ts';

/** The facts of GET_DEV_INFO that tell devices apart. */
export interface KernelFacts {
  readonly ublksrv_pid: number;
  readonly flags: bigint;
  readonly queue_depth: number;
}

/**
 * The record if it is the device's, else null. Another program may delete a device of ours and make one of its own with the
 * same id, features and depth: only the instance tells the two apart when neither has a server.
 */
export function ownedBy(
  info: KernelFacts,
  record: DeviceRecord | null,
  instance: string | null = record === null ? null : instanceOf(record.id),
): DeviceRecord | null {
  if (record === null) return null;
  if (ofInstance(record, instance) === null) return null;
  if (info.ublksrv_pid > 0) {
    const servers = [record.server, record.previous];
    if (servers.some((server) => isServer(info.ublksrv_pid, server))) return record;
    // The id of a server that was in another pid namespace and has ended, so that nothing tells whose it was.
    const isUntold = servers.some((server) => server !== null && isElsewhere(server));
    if (!isUntold || readProcess(info.ublksrv_pid).state !== 'gone') return null;
  }
  const asked = featuresOf(record.spec).flags;
  return (info.flags & asked) === asked && info.queue_depth === record.spec.depth ? record : null;
}

/**
 * The same where the driver is not asked: null if another device has had the id since the record was written. A record of an older
 * version does not tell.
 */
export function ofInstance(
  record: DeviceRecord | null,
  instance: string | null = record === null ? null : instanceOf(record.id),
): DeviceRecord | null {
  if (record === null || instance === null || record.instance === undefined) return record;
  return instance === record.instance ? record : null;
}
