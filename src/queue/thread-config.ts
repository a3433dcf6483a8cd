/** The configuration of a queue thread: plain data (structured clone) and addresses, which threads share. */
import type { WireError } from '../protocol/error-wire.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import type { ThreadLayout } from '../spec/threads.ts';

export interface ThreadConfig {
  readonly deviceId: number;
  readonly index: number;
  readonly spec: DeviceSpec;
  /** Which tags this thread serves. */
  readonly layout: ThreadLayout;
  /** CPUs to run on; empty leaves the thread where it is. */
  readonly cpus: readonly number[];

  readonly targetState: unknown;
  /** Ring operations that one request can have under way. */
  readonly operations: number;

  readonly charFd: number;
  readonly files: readonly number[];

  /** All queues' descriptors, one after the other, each `queueDescriptorBytes` long. */
  readonly descriptors: bigint;
  readonly queueDescriptorBytes: number;
  /** maxIoBufBytes for each slot; 0n where the path needs none. */
  readonly buffers: bigint;
  /** integrityBytes for each slot; 0n without integrity. */
  readonly integrityBuffers: bigint;
  readonly integrityBytes: number;

  /** The mapped stats file, and which of its blocks are this thread's: by queue id, -1 for a queue it does not serve. */
  readonly stats: bigint;
  readonly statsBytes: number;
  readonly statsBlocks: readonly number[];

  /** Written by the main thread, read here: see shmem-table.ts. */
  readonly shmemTable: SharedArrayBuffer;
  /** An eventfd that the main thread writes to make this thread look at the table, or leave. */
  readonly wakeFd: number;
  /** Int32: nonzero when the thread is to leave. */
  readonly leave: SharedArrayBuffer;
}

/** What a queue thread tells the main thread. */
export type ThreadMessage =
  | { readonly kind: 'fetched'; readonly tid: number; readonly notes: readonly string[] }
  | { readonly kind: 'left' }
  | { readonly kind: 'failed'; readonly error: WireError };
