/** The configuration of a queue thread: plain data (structured clone), and addresses, which threads share. */
import type { ParamsInit } from '../control/commands.ts';
import { isObject } from '../kinds.ts';
import type { RingRemains } from '../native/ring/remains.ts';
import type { WireError } from '../protocol/error-wire.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import type { ThreadLayout } from '../spec/threads.ts';

export interface ThreadConfig {
  readonly deviceId: number;
  readonly index: number;
  readonly spec: DeviceSpec;
  /** Which tags this thread serves. */
  readonly layout: ThreadLayout;
  /** CPUs to run on. An empty list leaves the thread's affinity as it is. */
  readonly cpus: readonly number[];

  readonly targetState: unknown;
  /** Ring operations that one request can have under way. */
  readonly operations: number;

  readonly charFd: number;
  readonly files: readonly number[];

  /** All queues' descriptors, one after the other, each `queueDescriptorBytes` long. */
  readonly descriptors: bigint;
  readonly queueDescriptorBytes: number;
  /** maxIoBufBytes per slot; 0n where the data path needs no buffers. */
  readonly buffers: bigint;
  /** integrityBytes per slot; 0n without integrity. */
  readonly integrityBuffers: bigint;
  readonly integrityBytes: number;

  /** The mapped stats file. statsBlocks: this thread's blocks in it by queue id, -1 for a queue it does not serve. */
  readonly stats: bigint;
  readonly statsBytes: number;
  readonly statsBlocks: readonly number[];

  /** The main thread writes it, queue threads read it (shmem-table.ts). */
  readonly shmemTable: SharedArrayBuffer;
  /** An eventfd that the main thread writes when this thread is to look at the table or at `order`. */
  readonly wakeFd: number;
  /** Int32: STAY, DRAIN or LEAVE of wake-up.ts. All threads of a device have the same one. */
  readonly order: SharedArrayBuffer;
}

/** A message from a queue thread to the main thread. */
export type ThreadMessage =
  /** The ring that it has made, for the main thread to close should this thread end without doing so; null: it is about to. */
  | { readonly kind: 'ring'; readonly ring: RingRemains | null }
  /** Whether the thread runs its half of the target's `open` now. */
  | { readonly kind: 'opening'; readonly isOpening: boolean }
  | {
      readonly kind: 'fetched';
      readonly tid: number;
      readonly notes: readonly string[];
      readonly params?: ParamsInit;
    }
  /**
   * `problem`: why the target could not be closed; null: it is closed. `mapped`: addresses of buffers of `maxIoBufBytes` bytes, for
   * the main thread to unmap when this thread has ended, because a handler that is late can still write to them.
   */
  | { readonly kind: 'left'; readonly problem: string | null; readonly mapped: readonly bigint[] }
  | { readonly kind: 'failed'; readonly error: WireError };

const KINDS: ReadonlySet<unknown> = new Set<ThreadMessage['kind']>(['ring', 'opening', 'fetched', 'left', 'failed']);

/** The code of a target and what it imports share the port of their thread, and can post anything. */
export function isThreadMessage(message: unknown): message is ThreadMessage {
  return isObject(message) && KINDS.has(message['kind']);
}
