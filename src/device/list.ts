/** Devices as anyone may see them: the kernel's record, and for our own what their server stored and counts. */
import { type ControlChannel, withControl } from '../control/channel.ts';
import { type DevInfo, getDevInfo, getParams, getQueueAffinity } from '../control/commands.ts';
import { findDevices } from '../control/discovery.ts';
import { UblkError } from '../errors.ts';
import { ublkStateName } from '../native/uapi/ublk-device.ts';
import { filesOf } from '../record/files.ts';
import type { DeviceRecord } from '../record/device-record.ts';
import { ownedBy } from '../record/ownership.ts';
import { isServerAlive } from '../record/server-identity.ts';
import { readRecord } from '../record/store.ts';
import { dataPathNameOf } from '../spec/device-spec.ts';
import { type DeviceStats, readStats, type Tally } from '../stats/reader.ts';
import type { StatWay } from '../stats/layout.ts';
import { bitsOf } from './features.ts';
import type { BufferReport, DeviceReport, DeviceState, IoReport } from './report.ts';

export async function listDevices(): Promise<DeviceReport[]> {
  const ids = findDevices();
  if (ids.length === 0) return [];
  return withControl((channel) => ids.flatMap((id) => describeIfThere(channel, id)));
}

export async function describeDevice(id: number): Promise<DeviceReport> {
  return withControl((channel) => describe(channel, id));
}

/** A device may go while the list is made. */
function describeIfThere(channel: ControlChannel, id: number): DeviceReport[] {
  try {
    return [describe(channel, id)];
  } catch (error) {
    if (error instanceof UblkError && error.kind === 'no-device') return [];
    throw error;
  }
}

function describe(channel: ControlChannel, id: number): DeviceReport {
  const info = getDevInfo(channel, id);
  const params = getParams(channel, id);
  const record = ownedBy(info, readRecord(id));
  const stats = record === null ? null : readStats(filesOf(id).stats);
  return {
    id,
    path: `/dev/ublkb${id}`,
    state: ublkStateName(info.state) as DeviceState,
    target: record === null ? null : targetOf(record),
    size_bytes: params.basic.dev_sectors * 512,
    logical_block_size: 2 ** params.basic.logical_bs_shift,
    nr_hw_queues: info.nr_hw_queues,
    queue_depth: info.queue_depth,
    max_io_buf_bytes: info.max_io_buf_bytes,
    ublksrv_pid: info.ublksrv_pid,
    flags: `0x${info.flags.toString(16)}`,
    flag_names: bitsOf(info.flags).map(({ bit, name }) => name ?? `bit ${bit}`),
    io_desc_size: info.io_desc_size,
    data_path: record === null ? null : dataPathNameOf(record.spec),
    queues: Array.from({ length: info.nr_hw_queues }, (_, queue) => ({
      id: queue,
      affinity: getQueueAffinity(channel, id, queue),
      in_flight: stats?.queues[queue]?.inFlight ?? 0,
    })),
    buffers: record === null ? null : buffersOf(record, stats),
    io: record === null ? null : ioOf(stats),
    last_error: record === null ? null : lastError(record, info),
  };
}

function targetOf(record: DeviceRecord): NonNullable<DeviceReport['target']> {
  const { target, files, targetOptions } = record.spec;
  return { type: target, files: [...files], options: { ...targetOptions } };
}

function buffersOf(record: DeviceRecord, stats: DeviceStats | null): BufferReport[] {
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

function ioOf(stats: DeviceStats | null): IoReport {
  const sum = (way: StatWay): Tally => {
    const total = { requests: 0, bytes: 0 };
    for (const queue of stats?.queues ?? []) {
      total.requests += queue.ways[way].requests;
      total.bytes += queue.ways[way].bytes;
    }
    return total;
  };
  const errors = (stats?.queues ?? []).flatMap((queue) => Object.values(queue.ops)).reduce((n, op) => n + op.errors, 0);
  return { matched: sum('matched'), registered: sum('registered'), copied: sum('copied'), errors };
}

/** Why the server is gone, when it is gone and nobody stopped the device. */
function lastError({ ended, server }: DeviceRecord, info: DevInfo): string | null {
  if (ended !== null) return ended.reason === 'stopped' ? null : ended.message;
  if (ublkStateName(info.state) === 'LIVE' || isServerAlive(server)) return null;
  return `its server (pid ${server?.pid ?? '?'}) ended without a message: it was killed, or memory ran out (see dmesg)`;
}
