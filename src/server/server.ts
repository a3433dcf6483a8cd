/**
 * A device's server, from a device that the kernel has added to one that is gone.
 *
 * Nothing here issues STOP_DEV or DEL_DEV: a process that is killed inside one of them on its own device cannot die.
 * Whoever wants the device gone says so from another process; the kernel takes the commands back and the threads leave.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlChannel } from '../control/channel.ts';
import {
  type DevInfo,
  endUserRecovery,
  getDevInfo,
  getQueueAffinity,
  setParams,
  startDev,
} from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { eventfd } from '../native/libc/calls.ts';
import { type MappedMemory, mapAnonymous } from '../native/memory.ts';
import type { Opened, OpenRequest } from '../targets/target.ts';
import { findTarget } from '../targets/registry.ts';
import { filesOf } from '../record/files.ts';
import { createStats, mapDescriptors } from './mappings.ts';
import { dataPathOf, isBatch, needsBuffers, queuesOf, threadCpus, threadLayouts } from '../spec/plan.ts';
import { ShmemRegistry } from './shared-memory/registry.ts';
import { ShmemTable } from '../queue/shmem-table.ts';
import { SharedMemorySocket } from './socket/listener.ts';
import { Requests } from './socket/requests.ts';
import { readStoredDevice, type StoredDevice, updateStoredDevice } from '../record/stored-device.ts';
import type { ThreadConfig } from '../queue/thread-config.ts';
import { QueueThreads } from './queue-threads.ts';

export type StartMode = 'add' | 'recover';

export interface RunningServer {
  /** What the threads could not have; serving goes on without. */
  readonly notes: readonly string[];
  readonly registry: ShmemRegistry;
  /** Resolves when the device is gone and everything is closed; rejects when a queue thread failed. */
  readonly gone: Promise<void>;
}

/** Resolves when the device is live. */
export async function startServer(id: number, mode: StartMode): Promise<RunningServer> {
  const stored = readStoredDevice(id);
  if (stored === null) throw new UblkError(`nothing is stored of device ${id}`, { code: 'ENOENT', device: id });
  const channel = new ControlChannel();
  const info = getDevInfo(channel, id);
  const charFd = await openCharDevice(id);
  const target = await openTarget(stored, info, mode);
  const maps = mapShared(stored, info, charFd);
  const configs = threadConfigs(stored, info, channel, charFd, target, maps);
  let threads: QueueThreads | undefined;
  const registry = new ShmemRegistry(id, channel, new ShmemTable(maps.shmemTable), () => threads?.wake());
  // A queue is served as soon as its tags are fetched, and what the kernel kept for the device may lie in a buffer.
  if (mode === 'recover') registry.adopt(stored);
  threads = new QueueThreads(configs);
  try {
    if (mode === 'add') setParams(channel, id, target.params);
    const notes = await threads.fetched();
    updateStoredDevice(id, { serverPid: process.pid, previousPid: stored.serverPid, ended: null });
    if (mode === 'add') {
      for (const buffer of stored.options.buffers) await registry.registerPath(buffer.path, buffer.readOnly);
      startDev(channel, id, process.pid);
    } else {
      endUserRecovery(channel, id, process.pid);
      notes.push(...(await settleBuffers(registry, stored)));
    }
    const socket = await listen(stored, registry);
    const close = () => {
      socket?.close();
      target.close();
      registry.close();
      closeSync(charFd);
      channel.close();
    };
    return { notes: [...(target.notes ?? []), ...notes], registry, gone: threads.left().then(close) };
  } catch (error) {
    threads.leave();
    throw error;
  }
}

/** What could not be had is a note: the device is live. */
async function settleBuffers(registry: ShmemRegistry, stored: StoredDevice): Promise<string[]> {
  const notes: string[] = [];
  try {
    const gone = await registry.settle();
    notes.push(...gone.map((index) => `buffer ${index}: its memory is gone, it is not registered any more`));
  } catch (error) {
    notes.push((error as Error).message);
  }
  for (const { path, readOnly } of stored.options.buffers) {
    if (registry.list().some((buffer) => buffer.path === path)) continue;
    try {
      await registry.registerPath(path, readOnly);
    } catch (error) {
      notes.push((error as Error).message);
    }
  }
  return notes;
}

/** Only where there is something to ask for. */
async function listen(stored: StoredDevice, registry: ShmemRegistry): Promise<SharedMemorySocket | null> {
  if (!stored.options.features.includes('SHMEM_ZC')) return null;
  return SharedMemorySocket.listen(filesOf(stored.id).socket, new Requests(stored.id, registry));
}

/** udev may still be making the node. */
async function openCharDevice(id: number): Promise<number> {
  const path = `/dev/ublkc${id}`;
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      // O_NONBLOCK lets io_uring copy while it submits (data-path/user-copy.ts); the driver itself does not look at it.
      return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
      const passing = code === 'ENOENT' || code === 'EACCES' || code === 'EBUSY';
      if (!passing || performance.now() > deadline) {
        const hint = code === 'EBUSY' ? 'another server has it open' : 'is udev (or devtmpfs) running?';
        throw new UblkError(`cannot open ${path}: ${code}`, { code, device: id, command: 'open', hint });
      }
    }
    await sleep(10);
  }
}

async function openTarget(stored: StoredDevice, info: DevInfo, mode: StartMode): Promise<Opened> {
  const type = findTarget(stored.options.target);
  return type.open(openRequest(stored, info, mode));
}

function openRequest(stored: StoredDevice, info: DevInfo, mode: StartMode): OpenRequest {
  const { options } = stored;
  return {
    files: options.files,
    options: options.targetOptions,
    dataPath: dataPathOf(options),
    batch: isBatch(options),
    queues: info.nr_hw_queues,
    depth: info.queue_depth,
    maxIoBufBytes: info.max_io_buf_bytes,
    integrity: options.integrity,
    recovering: mode === 'recover',
  };
}

interface SharedMaps {
  readonly descriptors: MappedMemory;
  readonly queueDescriptorBytes: number;
  readonly buffers: MappedMemory | null;
  readonly integrity: MappedMemory | null;
  readonly integrityBytes: number;
  readonly stats: MappedMemory;
  /** By thread, then by queue: the stats block, or -1. */
  readonly statsBlocks: number[][];
  readonly shmemTable: SharedArrayBuffer;
}

function mapShared(stored: StoredDevice, info: DevInfo, charFd: number): SharedMaps {
  const { options } = stored;
  const slots = info.nr_hw_queues * info.queue_depth;
  const descriptors = mapDescriptors(charFd, info);
  const buffers = needsBuffers(dataPathOf(options))
    ? mapAnonymous(slots * info.max_io_buf_bytes, 'of I/O buffers')
    : null;
  const integrityBytes = (info.max_io_buf_bytes >>> 9) * (options.integrity?.metadataSize ?? 0);
  const integrity = integrityBytes > 0 ? mapAnonymous(slots * integrityBytes, 'of integrity buffers') : null;
  let blocks = 0;
  const statsBlocks = threadLayouts(options, info.nr_hw_queues).map((layout, thread) => {
    const served = new Set(queuesOf(layout, thread, info.nr_hw_queues));
    return Array.from({ length: info.nr_hw_queues }, (_, queue) => (served.has(queue) ? blocks++ : -1));
  });
  const stats = createStats(filesOf(info.dev_id).stats, info, blocks, stored.generation);
  return {
    descriptors: descriptors.memory,
    queueDescriptorBytes: descriptors.queueBytes,
    buffers,
    integrity,
    integrityBytes,
    stats,
    statsBlocks,
    shmemTable: new SharedArrayBuffer(ShmemTable.BYTES),
  };
}

function threadConfigs(
  stored: StoredDevice,
  info: DevInfo,
  channel: ControlChannel,
  charFd: number,
  target: Opened,
  maps: SharedMaps,
): ThreadConfig[] {
  const { options } = stored;
  const layouts = threadLayouts(options, info.nr_hw_queues);
  const oneToOne = layouts.length === info.nr_hw_queues && !options.perIoTasks;
  const leave = new SharedArrayBuffer(4);
  return layouts.map((layout, index) => ({
    deviceId: info.dev_id,
    index,
    threads: layouts.length,
    queues: info.nr_hw_queues,
    depth: info.queue_depth,
    layout,
    // All CPUs that submit to the queue: pinned to the first, as kublk does, the thread fights the client for it.
    cpus: threadCpus(oneToOne ? getQueueAffinity(channel, info.dev_id, index) : [], options.cpus),
    target: options.target,
    targetState: target.state,
    operations: target.operations,
    dataPath: dataPathOf(options),
    batch: isBatch(options),
    sharedMemory: options.features.includes('SHMEM_ZC'),
    rotateAutoBuf: options.rotateAutoBuf,
    noUblkFixedFd: options.noUblkFixedFd,
    integrity: options.integrity,
    debugMask: options.debugMask,
    charFd,
    files: target.files,
    maxIoBufBytes: info.max_io_buf_bytes,
    descriptors: maps.descriptors.address,
    queueDescriptorBytes: maps.queueDescriptorBytes,
    ioDescBytes: info.io_desc_size,
    buffers: maps.buffers?.address ?? 0n,
    integrityBuffers: maps.integrity?.address ?? 0n,
    integrityBytes: maps.integrityBytes,
    stats: maps.stats.address,
    statsBytes: maps.stats.length,
    statsBlocks: maps.statsBlocks[index]!,
    shmemTable: maps.shmemTable,
    wakeFd: eventfd(),
    leave,
  }));
}
