/** The memory that all queue threads of a device share: the main thread maps it once and hands it to them by address. */
import { closeSync, fchmodSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs';
import { allocate } from '../native/libc/calls.ts';
import { hollow, type MappedMemory, mapAnonymous, mapFile, PAGE_SIZE, roundUp } from '../native/memory.ts';
import { UBLKSRV_CMD_BUF_OFFSET } from '../native/uapi/ublk-addresses.ts';
import { UBLK_MAX_QUEUE_DEPTH } from '../native/uapi/ublk-device.ts';
import type { Buffers } from './memory-budget.ts';
import { ShmemTable } from '../queue/shmem-table.ts';
import { filesOf, unfinishedFile } from '../record/files.ts';
import { changing } from '../record/run-files.ts';
import { dataPathOf, type DeviceSpec } from '../spec/device-spec.ts';
import { queuesOf, threadLayouts } from '../spec/threads.ts';
import { Header, HeaderF64, STATS_MAGIC, STATS_VERSION, statsFileBytes, writtenParts } from '../stats/layout.ts';

export interface SharedMaps {
  /** null where the data path needs none. */
  readonly buffers: MappedMemory | null;
  readonly integrity: MappedMemory | null;
  readonly integrityBytes: number;
  readonly stats: MappedMemory;
  /** The stats block by thread, then by queue, or -1 for a queue that the thread does not serve. */
  readonly statsBlocks: readonly (readonly number[])[];
  readonly shmemTable: SharedArrayBuffer;
}

/** The request descriptors of every queue, side by side. */
export interface Descriptors {
  readonly memory: MappedMemory;
  /** Bytes from one queue's descriptors to the next's. */
  readonly queueBytes: number;
}

export interface MappedDevice {
  readonly id: number;
  readonly spec: DeviceSpec;
  readonly generation: number;
  readonly charFd: number;
}

/** Either everything is mapped, or nothing stays mapped and this throws. */
export function mapShared(device: MappedDevice): SharedMaps {
  const { spec } = device;
  const slots = spec.queues * spec.depth;
  const integrityBytes = integrityBytesOf(spec);
  const statsBlocks = assignBlocks(spec);
  const bufferBytes = dataPathOf(spec).needsBuffers ? slots * spec.maxIoBufBytes : 0;
  const mapped: MappedMemory[] = [];
  const map = (bytes: number, what: string): MappedMemory | null => {
    if (bytes === 0) return null;
    const memory = mapAnonymous(bytes, what);
    mapped.push(memory);
    return memory;
  };
  try {
    return {
      buffers: map(bufferBytes, 'of I/O buffers'),
      integrity: map(slots * integrityBytes, 'of integrity buffers'),
      integrityBytes,
      stats: createStats(device, Math.max(...statsBlocks.flat()) + 1),
      statsBlocks,
      shmemTable: new SharedArrayBuffer(ShmemTable.BYTES),
    };
  } catch (error) {
    for (const memory of mapped) memory.unmap();
    throw error;
  }
}

/** The bytes that a device's I/O buffers can come to. */
export function bufferNeeds(spec: DeviceSpec): Buffers {
  const bytes = dataPathOf(spec).needsBuffers ? spec.maxIoBufBytes + integrityBytesOf(spec) : 0;
  return { queues: spec.queues, depth: spec.depth, bytes };
}

/** The memory that data passes through, where there is any. */
export function ownBuffers({ buffers, integrity }: SharedMaps): MappedMemory[] {
  return [buffers, integrity].filter((memory) => memory !== null);
}

/**
 * Gives back the memory of a device, except its descriptors. No thread looks at it any more. Unless it `isIdle`, operations
 * that are under way in the kernel may still use the addresses of the buffers, so that these must not become anything else.
 */
export function releaseMaps(maps: SharedMaps, isIdle: boolean): void {
  maps.stats.unmap();
  for (const memory of ownBuffers(maps)) {
    if (isIdle) memory.unmap();
    else hollow(memory, 'in place of I/O buffers');
  }
}

/** Bytes of integrity metadata that the largest request can have. */
function integrityBytesOf({ maxIoBufBytes, integrity }: DeviceSpec): number {
  return (maxIoBufBytes >>> 9) * (integrity?.metadataSize ?? 0);
}

/** In the char device, the descriptors of two queues are as far apart as those of the largest depth. */
export function mapDescriptors({ spec, charFd }: MappedDevice): Descriptors {
  const queueBytes = roundUp(spec.depth * spec.ioDescSize, PAGE_SIZE);
  const queueStride = roundUp(UBLK_MAX_QUEUE_DEPTH * spec.ioDescSize, PAGE_SIZE);
  const memory = mapAnonymous(queueBytes * spec.queues, 'of request descriptors');
  try {
    for (let queue = 0; queue < spec.queues; queue++) {
      const offset = BigInt(UBLKSRV_CMD_BUF_OFFSET + queue * queueStride);
      const at = memory.address + BigInt(queue * queueBytes);
      const options = { readOnly: true, populate: true, offset, at } as const;
      mapFile(charFd, queueBytes, `of the descriptors of queue ${queue}`, options);
    }
  } catch (error) {
    memory.unmap();
    throw error;
  }
  return { memory, queueBytes };
}

/** One stats block for each pair of a thread and a queue that it serves. */
function assignBlocks(spec: DeviceSpec): number[][] {
  let blocks = 0;
  return threadLayouts(spec).map((layout, thread) => {
    const served = new Set(queuesOf(layout, thread, spec.queues));
    return Array.from({ length: spec.queues }, (_, queue) => (served.has(queue) ? blocks++ : -1));
  });
}

/**
 * A new stats page is renamed into place: whoever has the old one open keeps its last numbers. What is written of it gets its
 * room before it is mapped: on a file system that is full, a store to a page without room ends this process (SIGBUS).
 */
function createStats(device: MappedDevice, blocks: number): MappedMemory {
  const path = filesOf(device.id).stats;
  return changing(path, () => makeStats(device, blocks, path));
}

function makeStats({ id, spec, generation }: MappedDevice, blocks: number, path: string): MappedMemory {
  const temporary = unfinishedFile(id, 'stats');
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx+', 0o644);
  let memory: MappedMemory | undefined;
  try {
    const bytes = statsFileBytes(blocks);
    // Every user may read the counters, whatever the umask is.
    fchmodSync(fd, 0o644);
    ftruncateSync(fd, bytes);
    for (const [offset, length] of writtenParts(blocks, spec.sharedMemory)) allocate(fd, offset, length, path);
    memory = mapFile(fd, bytes, 'of the stats page');
    const words = memory.words();
    words[Header.deviceId] = id;
    words[Header.nrQueues] = spec.queues;
    words[Header.queueDepth] = spec.depth;
    words[Header.nrBlocks] = blocks;
    words[Header.serverPid] = process.pid;
    words[Header.generation] = generation;
    words[Header.version] = STATS_VERSION;
    const seconds = new Float64Array(memory.bytes.buffer, memory.bytes.byteOffset, 16);
    seconds[HeaderF64.startedAtMs] = Date.now();
    words[Header.magic] = STATS_MAGIC;
    renameSync(temporary, path);
    return memory;
  } catch (error) {
    memory?.unmap();
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
