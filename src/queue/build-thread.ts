/** Makes a queue thread and its parts: ring, slots, statistics, data path, delivery and target. */
import { diskSize } from '../control/sysfs.ts';
import { viewOf } from '../native/libc/ffi.ts';
import { startFirstWorker } from '../native/ring/first-worker.ts';
import type { RingRemains } from '../native/ring/remains.ts';
import { Ring } from '../native/ring/ring.ts';
import { BLOCK_BYTES, Block, BUFFER_SLOTS, blockOffset } from '../stats/layout.ts';
import { ConnectionWriter } from '../stats/connection-writer.ts';
import { StatsWriter } from '../stats/writer.ts';
import { gettid } from '../native/libc/calls.ts';
import { findTarget } from '../targets/find.ts';
import type { QueueContext, TargetQueue } from '../targets/target.ts';
import { charDevice } from './char-device.ts';
import { DataViews } from './data-views.ts';
import { createDataPath } from './data-path/create.ts';
import { ShmemOverlay } from './data-path/shmem.ts';
import { DEBUG_REQUESTS, LoggedDelivery } from './debug-log.ts';
import { createDelivery } from './delivery/create.ts';
import { LatencySampler } from './latency.ts';
import { LoopSleep } from './loop-sleep.ts';
import { QueueThread } from './queue-thread.ts';
import { dataPathOf } from '../spec/device-spec.ts';
import { Request } from './request.ts';
import { ShmemTable } from './shmem-table.ts';
import { slotsOfDevice } from './slots.ts';
import { OwnOperations } from './target-ring.ts';
import type { ThreadConfig } from './thread-config.ts';
import { threadStats } from './thread-stats.ts';
import { WakeUp } from './wake-up.ts';

export interface BuiltThread {
  readonly thread: QueueThread;
  readonly target: TargetQueue;
  readonly sleep: LoopSleep;
  readonly views: DataViews;
  /**
   * Closes the ring, whose registered files keep the device with this server. No operation may be under way that uses
   * the memory of a request.
   */
  readonly close: () => void;
}

/** Tells the main thread of the steps of a start, because the target's code may end the thread at any of them. */
export interface BuildEvents {
  /** The ring that there is now; null: it is about to be closed. */
  ring(ring: RingRemains | null): void;
  /** The code of the target runs, or has run. */
  opening(isOpening: boolean): void;
}

export async function buildQueueThread(config: ThreadConfig, events: BuildEvents): Promise<BuiltThread> {
  const mine = slotsOf(config);
  const ring = makeRing(config, mine.length);
  events.ring(ring.remains);
  let isOpen = true;
  const closeRing = (): void => {
    if (!isOpen) return;
    isOpen = false;
    events.ring(null);
    ring.close();
  };
  // The code of the target ends the thread with process.exit, or with a promise that nothing is left to settle. What it takes
  // to call the kernel can only be closed here.
  process.once('exit', closeRing);
  try {
    registerAll(ring, config, mine.length);
    startFirstWorker(ring);
    return await buildOn({ ring, closeRing }, mine, config, events);
  } catch (error) {
    closeRing();
    throw error;
  }
}

async function buildOn(
  { ring, closeRing }: { readonly ring: Ring; readonly closeRing: () => void },
  mine: readonly number[],
  config: ThreadConfig,
  events: BuildEvents,
): Promise<BuiltThread> {
  const { spec } = config;
  const device = charDevice(config.charFd, spec.noUblkFixedFd);
  const slots = slotsOfDevice(config, device.firstFile);
  const writers = statsOf(config);
  const stats = threadStats(slots, writers);
  const latency = new LatencySampler(slots.count);
  const descriptors = descriptorsOf(config);
  // The statistics of the thread itself, which belong to no queue, are in the first of its blocks.
  const [first] = writers.filter((writer) => writer !== undefined);
  const sleep = new LoopSleep(ring, config.wakeFd, first);
  const own = new OwnOperations(ring, slots);
  const connection = new ConnectionWriter(first?.counters ?? new Float64Array(BLOCK_BYTES / 8));
  events.opening(true);
  const target = await targetOf(config, { slots: slots.count, events: sleep, ring: own, connection });
  events.opening(false);
  try {
    return build(target);
  } catch (error) {
    await target.close?.();
    throw error;
  }

  function build(target: TargetQueue): BuiltThread {
    const table = new ShmemTable(config.shmemTable);
    const overlay = new ShmemOverlay(table, ring, slots, BUFFER_SLOTS);
    const views = new DataViews(slots, table, spec.maxIoBufBytes);
    const wakeUp = new WakeUp(ring, config.wakeFd, config.order);
    const beforeFetch = (slot: number) => {
      if (target.beforeFetch === undefined) return;
      ring.enter(0);
      target.beforeFetch(slot);
    };
    const plain = createDelivery(config, { ring, slots, mine, device, descriptors, beforeFetch });
    const logged = (spec.debugMask & DEBUG_REQUESTS) !== 0;
    const delivery = logged ? new LoggedDelivery(plain, slots, descriptors) : plain;
    const path = createDataPath(config, { ring, slots, mine, device, delivery });
    const request = new Request({ ring, slots, descriptors, stats, latency, path, overlay, delivery, views });
    own.attach(request);
    const thread = new QueueThread({ ring, slots, request, path, delivery, overlay, target, stats, latency, wakeUp });
    sleep.attach(thread);
    const close = (): void => {
      closeRing();
      wakeUp.close();
    };
    return { thread, target, sleep, views, close };
  }
}

type ThreadParts = Pick<QueueContext, 'slots' | 'events' | 'ring' | 'connection'>;

async function targetOf(config: ThreadConfig, parts: ThreadParts): Promise<TargetQueue> {
  const { integrity, maxIoBufBytes, target, threads } = config.spec;
  const type = await findTarget(target);
  return type.queue({
    state: config.targetState,
    integrity,
    maxIoBufBytes,
    thread: config.index,
    threads,
    deviceBytes: () => diskSize(config.deviceId)?.bytes ?? null,
    ...parts,
  });
}

/** The slots that this thread fetches, in the order in which it does. */
function slotsOf(config: ThreadConfig): number[] {
  const { layout, index } = config;
  const { depth, queues, threads } = config.spec;
  const all = Array.from({ length: queues * depth }, (_, slot) => slot);
  if (layout.kind === 'queue') return all.slice(index * depth, (index + 1) * depth);
  // Tags are dealt out in turn, by queue and tag, as in kublk: all threads share each queue's load.
  if (layout.kind === 'per-io') return all.filter((slot) => slot % threads === index);
  return layout.queues.flatMap((queue) => all.slice(queue * depth, (queue + 1) * depth));
}

function makeRing(config: ThreadConfig, tags: number): Ring {
  // One commit and one operation per tag. A target that starts more operations makes the ring submit in between.
  const entries = powerOfTwo(Math.min(4096, Math.max(8, tags * 2)));
  const completions = powerOfTwo(Math.min(65536, Math.max(16, tags * (2 + config.operations) + 16)));
  return new Ring(entries, completions);
}

function registerAll(ring: Ring, config: ThreadConfig, tags: number): void {
  const files = config.spec.noUblkFixedFd ? config.files : [config.charFd, ...config.files];
  ring.registry.registerFiles(files);
  const places = bufferPlaces(config, tags);
  if (places > 0) ring.registry.registerSparseBuffers(places);
}

/** Entries of the ring's table of registered buffers: one per tag, or two where they alternate. */
function bufferPlaces(config: ThreadConfig, tags: number): number {
  if (!dataPathOf(config.spec).registers) return 0;
  return config.spec.rotateAutoBuf ? tags * 2 : tags;
}

function descriptorsOf(config: ThreadConfig): Int32Array {
  const view = viewOf(config.descriptors, config.spec.queues * config.queueDescriptorBytes);
  return new Int32Array(view.buffer, view.byteOffset, view.byteLength / 4);
}

function statsOf(config: ThreadConfig): (StatsWriter | undefined)[] {
  const view = viewOf(config.stats, config.statsBytes);
  return config.statsBlocks.map((block, queue) => {
    if (block < 0) return undefined;
    const writer = new StatsWriter(view.buffer, view.byteOffset + blockOffset(block), BLOCK_BYTES);
    writer.words[Block.queueId] = queue;
    writer.words[Block.threadIndex] = config.index;
    writer.words[Block.tid] = gettid();
    return writer;
  });
}

function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}
