/** Devices as anyone may see them: the kernel's record, and for our own what their server stored and counts. */
import { ControlChannel } from '../../control/channel.ts';
import { type DevInfo, getDevInfo } from '../../control/commands.ts';
import { findDevices, isThere } from '../../control/discovery.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { isRingRefusal } from '../../native/ring/setup-failure.ts';
import { UBLK_S_DEV_LIVE } from '../../native/uapi/ublk-device.ts';
import { filesOf } from '../../record/files.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { goingIds, readGoingDevice, sweepGoingDevice } from '../../record/going-device.ts';
import { ownedBy } from '../../record/ownership.ts';
import { describePause, describeThaw, isPaused } from '../../record/paused.ts';
import { isServing, type ProcessState } from '../../record/process-state.ts';
import { isServerAlive, type ServerIdentity, serverOf, serverState } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { dataPathNameOf } from '../../spec/device-spec.ts';
import { describeLost } from '../../stats/connections.ts';
import { type DeviceStats, StatsReader, type StatsWishes } from '../../stats/reader.ts';
import { describeStuck } from '../../stats/stuck.ts';
import { bitsOf } from '../features.ts';
import { describeHolders } from '../../block/holder.ts';
import { isGone } from '../is-gone.ts';
import { kernelReport } from './kernel-report.ts';
import type { DeletingReport, DeviceReport } from './report.ts';
import { buffersOf, connectionsOf, deletingOf, ioOf, targetOf } from './report-parts.ts';

/**
 * Every ublk device, whoever made it, in the order of their ids; also those that are being deleted. Nothing here waits for
 * a device: one whose server does not answer is described as it is, and never hides the others.
 */
export async function listDevices(options: WaitOptions = {}): Promise<DeviceReport[]> {
  requireWaiting(options);
  const present = findDevices();
  const going = goingIds().filter((id) => !present.includes(id));
  if (present.length + going.length === 0) return [];
  const ids = [...present, ...going].toSorted((a, b) => a - b);
  const list = async (channel: ControlChannel): Promise<DeviceReport[]> => {
    const reports: DeviceReport[] = [];
    const reader = new StatsReader();
    for (const id of ids) {
      const report = await describeIfThere(channel, id, reader);
      if (report !== null) reports.push(report);
    }
    return reports;
  };
  return askOrLook(list, async (refusal) => {
    const { describeFromSysfs } = await import('./list-sysfs.ts');
    return Promise.all(ids.map((id) => describeFromSysfs(id, refusal)));
  });
}

/** One device. Throws a UblkError of kind `no-device` when there is none with this id. */
export async function describeDevice(id: number, options: WaitOptions = {}): Promise<DeviceReport> {
  requireDeviceId(id);
  requireWaiting(options);
  return askOrLook(
    (channel) => describe(channel, id),
    async (refusal) => {
      if (!isThere(id) && readGoingDevice(id) === null) throw refusal;
      const { describeFromSysfs } = await import('./list-sysfs.ts');
      return describeFromSysfs(id, refusal);
    },
  );
}

/** `ask` asks the driver. Where this process may have no ring to do so, `look` makes do with what the system shows. */
async function askOrLook<T>(
  ask: (channel: ControlChannel) => Promise<T>,
  look: (refusal: UblkError) => Promise<T>,
): Promise<T> {
  let channel: ControlChannel;
  try {
    channel = new ControlChannel();
  } catch (error) {
    if (isRingRefusal(error)) return look(error);
    throw error;
  }
  try {
    return await ask(channel);
  } finally {
    channel.close();
  }
}

/** Returns null for a device that went away while the list was made or after it was deleted. */
async function describeIfThere(channel: ControlChannel, id: number, reader: StatsReader): Promise<DeviceReport | null> {
  try {
    return await describe(channel, id, reader);
  } catch (error) {
    if (!(error instanceof UblkError) || error.kind !== 'no-device') throw error;
    sweepGoingDevice(id, () => isGone(channel, id));
    return null;
  }
}

/** Does what describeDevice does, on a channel that is open. */
export async function describe(
  channel: ControlChannel,
  id: number,
  reader: StatsReader = new StatsReader(),
): Promise<DeviceReport> {
  const info = getDevInfo(channel, id);
  const kernel = await kernelReport(channel, id, info);
  const record = ownedBy(info, readRecord(id));
  const stats = record === null ? null : reader.read(filesOf(id).stats, countersFor(record));
  const server = serverIn(info, record);
  const state = server === null ? null : serverState(server);
  const going = readGoingDevice(id);
  const isPresent = isThere(id);
  const isStopping = going !== null && isPresent && going.serverPid === info.ublksrv_pid;
  const deleting = going === null || isPresent ? null : await deletingOf(going);
  const waitsFor = isStopping && info.state === UBLK_S_DEV_LIVE ? await waitOf(info) : null;
  const io = record === null ? null : ioOf(stats);
  return {
    id,
    seen_from: 'driver',
    path: `/dev/ublkb${id}`,
    state: kernel.state,
    target: record === null ? null : targetOf(record),
    size_bytes: kernel.size_bytes,
    logical_block_size: kernel.logical_block_size,
    nr_hw_queues: kernel.nr_hw_queues,
    queue_depth: kernel.queue_depth,
    max_io_buf_bytes: kernel.max_io_buf_bytes,
    ublksrv_pid: kernel.ublksrv_pid,
    server: record?.spec.server ?? null,
    server_state: state,
    flags: kernel.flags,
    flag_names: bitsOf(info.flags).map(({ bit, name }) => name ?? `bit ${bit}`),
    io_desc_size: kernel.io_desc_size,
    data_path: record === null ? null : dataPathNameOf(record.spec),
    queues: kernel.queues.map((queue) => ({
      ...queue,
      tids: state !== null && isServing(state) ? (stats?.queues[queue.id]?.tids ?? []) : [],
      in_flight: stats?.queues[queue.id]?.inFlight ?? 0,
    })),
    buffers: record === null ? null : buffersOf(record, stats),
    io,
    connections: state !== null && isServing(state) ? connectionsOf(stats) : null,
    deleting,
    last_error: trouble({ record, info, server, state, deleting, waitsFor, stats }),
  };
}

/** The server that the kernel names, or the one that is starting the device or recovering it; null when there is none. */
function serverIn({ ublksrv_pid: pid }: DevInfo, record: DeviceRecord | null): ServerIdentity | null {
  const named = serverOf(pid, record);
  if (named.pid > 0) return named;
  const starting = record?.ended === null ? record.server : null;
  return isServerAlive(starting) ? starting : null;
}

/** No report has the heat. */
function countersFor({ buffers }: DeviceRecord): StatsWishes {
  return { buffers: buffers.length > 0, heat: false };
}

async function waitOf({ dev_id: id, ublksrv_pid: pid }: DevInfo): Promise<string> {
  const { explain } = await import('../stuck.ts');
  const { reason, hint } = explain(id, pid);
  return `${reason}; ${hint}`;
}

interface Facts {
  readonly record: DeviceRecord | null;
  readonly info: DevInfo;
  readonly server: ServerIdentity | null;
  /** The state of the server; null when there is none. */
  readonly state: ProcessState | null;
  readonly deleting: DeletingReport | null;
  /** Why the kernel has not stopped the device yet, although it was asked to delete it; null when it was not asked. */
  readonly waitsFor: string | null;
  readonly stats: DeviceStats | null;
}

/** Says what is wrong with the device; null when nothing is. */
function trouble({ record, info, server: served, state, deleting, waitsFor, stats }: Facts): string | null {
  if (deleting !== null) {
    const { server } = record ?? { server: null };
    const closes = isServerAlive(server) ? `: its server (pid ${server?.pid}) is closing the target` : '';
    const holders = deleting.holders.filter((holder) => holder.kind !== 'process' || holder.pid !== server?.pid);
    return `it is being deleted${closes}${holders.length > 0 ? `, but it is still ${describeHolders(holders)}` : ''}`;
  }
  const pid = served?.pid ?? info.ublksrv_pid;
  if (isPaused(state)) {
    return `its server (pid ${pid}) ${describePause(state)}, so I/O waits: ${describeThaw(pid, state)}`;
  }
  if (state === 'zombie') return `its server (pid ${pid}) has ended and is a zombie: nothing serves the device`;
  if (waitsFor !== null) return `it is being deleted: the kernel waits for ${waitsFor}`;
  if (record === null) return null;
  const { ended, server } = record;
  if (ended !== null) return ended.message;
  if (info.state === UBLK_S_DEV_LIVE || isServerAlive(server)) {
    if (stats === null) return null;
    const { stuck, connections } = stats;
    return stuck === null ? describeLost(connections, Date.now()) : describeStuck(stuck, Date.now());
  }
  return `its server (pid ${server?.pid ?? '?'}) ended without a message: it was killed, or memory ran out (see dmesg)`;
}
