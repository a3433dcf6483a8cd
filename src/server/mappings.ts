/** The memory that all queue threads share, mapped once by the main thread and handed to them by address. */
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import type { DevInfo } from '../control/commands.ts';
import { type MappedMemory, mapAnonymous, mapFile, mapFileOver, PAGE_SIZE, roundUp } from '../native/memory.ts';
import { UBLKSRV_CMD_BUF_OFFSET } from '../native/uapi/ublk-addresses.ts';
import { UBLK_MAX_QUEUE_DEPTH } from '../native/uapi/ublk-device.ts';
import { Header, HeaderF64, STATS_MAGIC, STATS_VERSION, statsFileBytes } from '../stats/layout.ts';

export interface Descriptors {
  readonly memory: MappedMemory;
  /** Bytes from one queue's descriptors to the next's. */
  readonly queueBytes: number;
}

/** Every queue's descriptors, side by side: in the char device they are a maximum depth apart. */
export function mapDescriptors(charFd: number, info: DevInfo): Descriptors {
  const queueBytes = roundUp(info.queue_depth * info.io_desc_size, PAGE_SIZE);
  const queueStride = roundUp(UBLK_MAX_QUEUE_DEPTH * info.io_desc_size, PAGE_SIZE);
  const memory = mapAnonymous(queueBytes * info.nr_hw_queues, 'of request descriptors');
  for (let queue = 0; queue < info.nr_hw_queues; queue++) {
    const offset = BigInt(UBLKSRV_CMD_BUF_OFFSET + queue * queueStride);
    const at = memory.address + BigInt(queue * queueBytes);
    mapFileOver(at, charFd, queueBytes, offset, `of the descriptors of queue ${queue}`);
  }
  return { memory, queueBytes };
}

/** A new stats page. Renamed into place: whoever has the old one open keeps its last numbers. */
export function createStats(path: string, info: DevInfo, blocks: number, generation: number): MappedMemory {
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx+', 0o644);
  try {
    const bytes = statsFileBytes(blocks);
    ftruncateSync(fd, bytes);
    const memory = mapFile(fd, bytes, 'of the stats page');
    const words = memory.words();
    words[Header.deviceId] = info.dev_id;
    words[Header.nrQueues] = info.nr_hw_queues;
    words[Header.queueDepth] = info.queue_depth;
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
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
