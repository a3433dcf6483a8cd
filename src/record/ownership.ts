/** Whether a record is about the device that now has its id: another program may have taken the id since. */
import { featuresOf } from '../spec/device-spec.ts';
import type { DeviceRecord } from './device-record.ts';

/** The facts of GET_DEV_INFO that tell devices apart. */
export interface KernelFacts {
  readonly ublksrv_pid: number;
  readonly flags: bigint;
  readonly queue_depth: number;
}

/** The record if it is the device's, else null. */
export function ownedBy(info: KernelFacts, record: DeviceRecord | null): DeviceRecord | null {
  if (record === null) return null;
  if (info.ublksrv_pid > 0) {
    const servers = [record.server?.pid, record.previous?.pid];
    return servers.includes(info.ublksrv_pid) ? record : null;
  }
  const asked = featuresOf(record.spec).flags;
  return (info.flags & asked) === asked && info.queue_depth === record.spec.depth ? record : null;
}
