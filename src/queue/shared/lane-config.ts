/**
 * What the main thread and a shared thread say to each other. A shared thread serves *lanes*: a lane is one queue of one
 * device. All that it takes places in (slots, descriptors, files, buffers) is given out by the main thread.
 */
import type { RingRemains } from '../../native/ring/remains.ts';
import type { WireError } from '../../protocol/error-wire.ts';
import type { DeviceSpec } from '../../spec/device-spec.ts';

export interface SharedThreadConfig {
  readonly index: number;
  /** CPUs to run on. An empty list leaves the thread's affinity as it is. */
  readonly cpus: readonly number[];
  /** How many slots, lanes, registered files and registered buffers there can be at a time. */
  readonly slots: number;
  readonly lanes: number;
  readonly files: number;
  readonly buffers: number;
  /** The memory that descriptors are mapped into. */
  readonly descriptors: bigint;
  readonly descriptorBytes: number;
  /** An eventfd that the main thread writes when there are orders. */
  readonly wakeFd: number;
}

export interface LaneConfig {
  readonly lane: number;
  readonly deviceId: number;
  readonly spec: DeviceSpec;
  readonly queue: number;
  /** The first slot; there are as many as the queue is deep. */
  readonly firstSlot: number;
  /** Where its descriptors are in the thread's memory, in bytes. */
  readonly descriptorsAt: number;
  /** The first of its registered files: the char device, and then those of the target. */
  readonly firstFile: number;
  readonly files: readonly number[];
  /** The first of its registered buffers; -1 where the data path registers none. */
  readonly firstBuffer: number;
  /** The queue's I/O buffers, or 0n. */
  readonly buffers: bigint;
  readonly targetState: unknown;
  /** The lane's block in the mapped stats file of the device. */
  readonly stats: bigint;
}

/** From the main thread. */
export type SharedOrder =
  | { readonly kind: 'serve'; readonly lane: LaneConfig }
  /** Give back the memory of the lane's I/O buffers, if no request is in hand. */
  | { readonly kind: 'rest'; readonly idle: number }
  /** Leave the loop: no lane is served any more. */
  | { readonly kind: 'end' };

/** From the shared thread. */
export type SharedMessage =
  /** The ring that it has made, for the main thread to close should this thread end without doing so; null: it is about to. */
  | { readonly kind: 'ring'; readonly ring: RingRemains | null }
  | { readonly kind: 'ready'; readonly tid: number; readonly notes: readonly string[] }
  /** Every tag of the lane has been fetched. */
  | { readonly kind: 'fetched'; readonly lane: number }
  /** The lane could not be served. Where the driver has some of its tags, `left` follows when it gives them back. */
  | { readonly kind: 'refused'; readonly lane: number; readonly error: WireError }
  /** The driver has taken back every tag of the lane, and nothing of it is used any more. */
  | { readonly kind: 'left'; readonly lane: number }
  /** The thread has failed, and all of its lanes with it. */
  | { readonly kind: 'failed'; readonly error: WireError };
