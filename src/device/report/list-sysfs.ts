/**
 * A device as sysfs and its record show it, for a process that may have no ring to ask the driver with. Nothing here
 * needs io_uring. The state is inferred; what is not known of another program's device is 0, or -1 for its server.
 */
import { isThere } from '../../control/discovery.ts';
import { diskSize } from '../../control/sysfs.ts';
import type { UblkError } from '../../errors.ts';
import { namesIn, readText } from '../../native/kernel-files.ts';
import { filesOf } from '../../record/files.ts';
import { readGoingDevice } from '../../record/going-device.ts';
import { isServing } from '../../record/process-state.ts';
import { serverState } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { dataPathNameOf, featuresOf } from '../../spec/device-spec.ts';
import { ofInstance } from '../../record/ownership.ts';
import { readStats } from '../../stats/reader.ts';
import { parseCpuList } from '../cpu-list.ts';
import { bitsOf } from '../features.ts';
import { inferredState } from './inferred-state.ts';
import type { DeviceReport, QueueReport } from './report.ts';
import { buffersOf, connectionsOf, deletingOf, ioOf, targetOf } from './report-parts.ts';

/** `refusal` says why there is no ring. */
export async function describeFromSysfs(id: number, refusal: UblkError): Promise<DeviceReport> {
  const record = ofInstance(readRecord(id));
  const disk = `/sys/block/ublkb${id}`;
  const size = diskSize(id);
  const server = record?.server ?? null;
  const alive = server === null ? null : serverState(server);
  const isServed = alive !== null && isServing(alive);
  const state = inferredState(record, size !== null, isServed);
  const going = isThere(id) ? null : readGoingDevice(id);
  const stats = record === null ? null : readStats(filesOf(id).stats);
  const flags = record === null ? 0n : featuresOf(record.spec).flags;
  const queues = queuesOf(disk, (queue) => ({
    tids: isServed ? (stats?.queues[queue]?.tids ?? []) : [],
    in_flight: stats?.queues[queue]?.inFlight ?? 0,
  }));
  return {
    id,
    seen_from: 'sysfs',
    path: `/dev/ublkb${id}`,
    state,
    target: record === null ? null : targetOf(record),
    size_bytes: size?.bytes ?? 0,
    logical_block_size: size?.logicalBlockBytes ?? 512,
    nr_hw_queues: record?.spec.queues ?? queues.length,
    queue_depth: record?.spec.depth ?? Number(readText(`${disk}/queue/nr_requests`) ?? 0),
    max_io_buf_bytes: record?.spec.maxIoBufBytes ?? Number(readText(`${disk}/queue/max_hw_sectors_kb`) ?? 0) * 1024,
    ublksrv_pid: server?.pid ?? -1,
    server: record?.spec.server ?? null,
    server_state: alive,
    flags: `0x${flags.toString(16)}`,
    flag_names: bitsOf(flags).map(({ bit, name }) => name ?? `bit ${bit}`),
    io_desc_size: record?.spec.ioDescSize ?? 0,
    data_path: record === null ? null : dataPathNameOf(record.spec),
    queues,
    buffers: record === null ? null : buffersOf(record, stats),
    io: record === null ? null : ioOf(stats),
    connections: isServed ? connectionsOf(stats) : null,
    deleting: going === null ? null : await deletingOf(going),
    last_error: `it is shown as sysfs and its record have it, and its state is inferred: ${refusal.message}`,
  };
}

/** /sys/block/DISK/mq has a directory for each hardware queue. */
function queuesOf(disk: string, counted: (queue: number) => Pick<QueueReport, 'tids' | 'in_flight'>): QueueReport[] {
  return namesIn(`${disk}/mq`)
    .map(Number)
    .sort((a, b) => a - b)
    .map((id) => ({ id, affinity: cpusOf(`${disk}/mq/${id}/cpu_list`), ...counted(id) }));
}

/** The file has blanks between the numbers. */
function cpusOf(path: string): number[] {
  const list = readText(path)?.replaceAll(' ', '') ?? '';
  return list === '' ? [] : parseCpuList(list);
}
