/** Makes a shared thread and its parts, and opens and closes its lanes. */
import { viewOf } from '../../native/libc/ffi.ts';
import { startFirstWorker } from '../../native/ring/first-worker.ts';
import type { RingRemains } from '../../native/ring/remains.ts';
import { Ring } from '../../native/ring/ring.ts';
import { Block, BlockF64 } from '../../stats/layout.ts';
import { StatsWriter } from '../../stats/writer.ts';
import { gettid } from '../../native/libc/calls.ts';
import { DataViews } from '../data-views.ts';
import { ShmemOverlay } from '../data-path/shmem.ts';
import { LatencySampler } from '../latency.ts';
import { notInlined } from '../not-inlined.ts';
import { QueueThread } from '../queue-thread.ts';
import { Request } from '../request.ts';
import { ShmemTable } from '../shmem-table.ts';
import { Slots } from '../slots.ts';
import { WakeUp } from '../wake-up.ts';
import { SharedDelivery } from './delivery.ts';
import type { LaneConfig, SharedOrder, SharedThreadConfig } from './lane-config.ts';
import { laneTarget } from './lane-target.ts';
import { fillLaneSlots } from './lane-slots.ts';
import { Lanes } from './lanes.ts';
import { restLane } from './rest.ts';
import { SharedPath, SharedStats, SharedTarget } from './parts.ts';

/** Entries that are submitted together; more are submitted in between. */
const ENTRIES = 4096;
/** Completions of one batch. What does not fit waits in the kernel. */
const COMPLETIONS = 8192;

export interface SharedThreadEvents {
  /** The ring that there is now; null: it is about to be closed. */
  ring(ring: RingRemains | null): void;
  /** Takes the orders that have come from the main thread. */
  orders(): readonly SharedOrder[];
  refused(lane: LaneConfig, error: unknown): void;
  /** `problem`: 0, or the -errno with which a tag was refused. */
  fetched(lane: LaneConfig, problem: number): void;
  left(lane: LaneConfig): void;
}

export interface SharedThread {
  readonly thread: QueueThread;
  close(): void;
}

export function buildSharedThread(config: SharedThreadConfig, events: SharedThreadEvents): SharedThread {
  const ring = new Ring(ENTRIES, COMPLETIONS);
  events.ring(ring.remains);
  const closeRing = (): void => {
    events.ring(null);
    ring.close();
  };
  try {
    return buildOn({ ring, closeRing }, config, events);
  } catch (error) {
    closeRing();
    throw error;
  }
}

function buildOn(
  { ring, closeRing }: { readonly ring: Ring; readonly closeRing: () => void },
  config: SharedThreadConfig,
  events: SharedThreadEvents,
): SharedThread {
  const tid = gettid();
  // The requests of a device whose disk hangs must leave workers for those of the others.
  ring.registry.registerWorkers(config.slots);
  startFirstWorker(ring);
  const files = ring.registry.registerFileTable(config.files);
  if (config.buffers > 0) ring.registry.registerSparseBuffers(config.buffers);
  const slots = new Slots(config.slots);
  const lanes = new Lanes(config.slots, config.lanes);
  const stats = new SharedStats(lanes, config.lanes);
  const latency = new LatencySampler(config.slots);
  const memory = viewOf(config.descriptors, config.descriptorBytes);
  const descriptors = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
  // No device that shares memory has a lane.
  const table = new ShmemTable(new SharedArrayBuffer(ShmemTable.BYTES));
  const overlay = new ShmemOverlay(table, ring, slots, 0);
  const views = new DataViews(slots, table, 0);
  const order = new SharedArrayBuffer(4);
  const wakeUp = new WakeUp(ring, config.wakeFd, order);
  const delivery = new SharedDelivery(ring, slots, lanes, {
    fetched: (lane, problem) => events.fetched(lanes.config(lane), problem),
    left: (lane) => shut(lanes.config(lane)),
    rest: (lane) => restLane(ring, lanes, lane),
  });
  const shut = (lane: LaneConfig): void => {
    void lanes.targets[lane.lane]?.close?.();
    files.empty(lane.firstFile, lane.files.length);
    lanes.close(lane.lane);
    events.left(lane);
  };
  const path = new SharedPath(lanes);
  const request = new Request({ ring, slots, descriptors, stats, latency, path, overlay, delivery, views });
  const target = new SharedTarget(lanes, request);
  const open = (lane: LaneConfig): void => {
    files.put(lane.firstFile, lane.files);
    const way = fillLaneSlots(slots, lane);
    const writer = writerOf(lane, config.index, tid);
    lanes.open({ config: lane, target: laneTarget(lane, writer), writer, way });
    delivery.fetch(lane.lane);
  };
  // A lane that cannot be opened is refused, and the others are served on.
  const openOrRefuse = (lane: LaneConfig): void => {
    try {
      open(lane);
    } catch (error) {
      events.refused(lane, error);
      shut(lane);
    }
  };
  const carryOut = (): void => {
    for (const one of events.orders()) {
      if (one.kind === 'end') thread.leave();
      else if (one.kind === 'rest') delivery.rest(one.idle);
      else openOrRefuse(one.lane);
    }
  };
  const thread = new QueueThread({
    ring,
    slots,
    request,
    path,
    delivery,
    overlay,
    target,
    stats,
    latency,
    wakeUp,
    woken: () => notInlined(carryOut),
  });
  const close = (): void => {
    closeRing();
    files.release();
    wakeUp.close();
  };
  return { thread, close };
}

/** Of the block, what is before the counters of registered buffers: a lane has none. */
function writerOf({ stats, queue }: LaneConfig, thread: number, tid: number): StatsWriter {
  const view = viewOf(stats, BlockF64.bufferRequests * 8);
  const writer = new StatsWriter(view.buffer, view.byteOffset, view.byteLength);
  writer.words[Block.queueId] = queue;
  writer.words[Block.threadIndex] = thread;
  writer.words[Block.tid] = tid;
  return writer;
}
