/**
 * The interface of byte handlers: a block device as functions that read and write bytes. `src/target.ts` exports it as
 * `ublkts/target`.
 */
import type { OptionKinds, OptionValues } from './options.ts';

/**
 * What a target's functions may return: nothing, when the work is done, or a promise that settles when it is. A handler
 * that answers with anything else, a number of bytes for example, fails its request with EIO.
 */
export type Awaitable<Value> = Value | Promise<Value>;

/** A target written with byte handlers. `defineTarget` takes it. */
export interface TargetDefinition<Kinds extends OptionKinds = OptionKinds, Shared = unknown> {
  /** Says what the device is, in one line; `add -t FILE --help` shows it. */
  readonly summary: string;
  /** The target's own options. There are none by default. */
  readonly options?: Kinds | undefined;
  /** How many backing files the target takes after its options on the command line. There are none by default. */
  readonly files?: { readonly min: number; readonly max: number } | undefined;
  /**
   * Runs once, on the server's main thread, before any `open`. What it resolves to reaches every thread as
   * `context.shared`: plain data (structured clone), SharedArrayBuffers among it.
   *
   * A target that has `setup` is served by one thread per queue, each with handlers of its own. A target without it is
   * served by one thread, so that its handlers can share variables. What it throws, `add` shows, and no device is left;
   * so it is when its promise has not settled after 60 seconds.
   */
  readonly setup?: ((context: SetupContext<Kinds>) => Awaitable<Shared>) | undefined;
  /**
   * Makes the handlers, once on every thread that serves, and says what the device is. All threads must say the same.
   * `add` shows what it throws, and no device is left. A server of the device's own ends then; a resident server goes on.
   * FileHandles, sockets, timers and Workers end with the thread; descriptors of `openSync` and processes stay there, unless
   * `open` closes and ends them before it throws. It has 60 seconds, too.
   */
  open(context: OpenContext<Kinds, Shared>): Awaitable<Handlers>;
}

export interface SetupContext<Kinds extends OptionKinds = OptionKinds> {
  /** The values of the declared options. */
  readonly options: OptionValues<Kinds>;
  /** The backing files that were named, as absolute paths. */
  readonly files: readonly string[];
  /** The id of the device: N of /dev/ublkbN. */
  readonly device: number;
  /**
   * Whether another server has served this device before, so that what is stored belongs to a client: format nothing
   * and clear nothing.
   */
  readonly recovering: boolean;
  /** The size of the device that is being recovered, in bytes; 0 for a new device. */
  readonly deviceBytes: number;
  /** Writes a line to the server's log (/run/ublkts/N.log), at once. */
  readonly log: (message: string) => void;
}

export interface OpenContext<Kinds extends OptionKinds = OptionKinds, Shared = unknown> extends SetupContext<Kinds> {
  /** What `setup` has resolved to; undefined without `setup`. */
  readonly shared: Shared;
  /** Which thread this is, 0 to threads - 1. */
  readonly thread: number;
  readonly threads: number;
}

export interface WriteOptions {
  /** The write must be durable when it is done, whatever is cached: a force-unit-access write. */
  readonly fua: boolean;
}

export interface WriteZeroesOptions extends WriteOptions {
  /** The space of the range may be given back, as by a discard. */
  readonly unmap: boolean;
}

/**
 * What the device is, and the functions that serve its requests.
 *
 * All offsets and lengths are in bytes and multiples of `blockSize`; a request lies within the device and is at most
 * `maxBytes` long, except that discards and zeroes can be up to 2 GiB. Requests can come in any order. Asynchronous
 * handlers have up to queues x depth requests at once, unless `concurrency` says otherwise; the kernel never sends two
 * requests for the same block at the same time only if its client does not.
 *
 * A handler that throws, or whose promise rejects, fails that one request: see BlockError. An error outside every
 * request (an uncaught exception, an unhandled rejection) ends the server, and the device's recovery policy applies.
 */
export interface Handlers {
  /** The size of the device in bytes: a multiple of `blockSize`, at least one block, at most 2^53 - 1. */
  readonly size: number;
  /** The logical block in bytes, the smallest request: 512 (the default), 1024, 2048 or 4096. */
  readonly blockSize?: number | undefined;
  /** The block in bytes that can be written without reading first: a power of two from `blockSize` to 2^28. 4096 by default. */
  readonly physicalBlockSize?: number | undefined;
  /**
   * The largest read or write in bytes: a multiple of `blockSize`, at least 4096. The default and the limit is 1 MiB
   * (`--max_io_buf_bytes`).
   */
  readonly maxBytes?: number | undefined;
  /** Whether writes are refused by the kernel. The default is false with `write`, and true without it. */
  readonly readOnly?: boolean | undefined;
  /** Whether seeks are expensive, so that the kernel sorts requests. False by default. */
  readonly rotational?: boolean | undefined;
  /** Discards are aligned to this many bytes and as long: a power of two, a multiple of `blockSize`, which is the default. */
  readonly discardGranularity?: number | undefined;
  /** The most requests that one thread has in its handlers at once: 1 or more. There is no limit by default. */
  readonly concurrency?: number | undefined;
  /**
   * Seconds after which a request whose promise has not settled fails with ETIMEDOUT. There is no limit by default. The
   * buffer stays the handler's own until its promise settles, unless it is a client's shared memory. Until then the late
   * handler counts for `concurrency`; a request that waits for its turn behind nothing but late handlers fails after the
   * same time.
   */
  readonly timeout?: number | undefined;

  /**
   * Fills all of `buffer` with the bytes at `offset`.
   *
   * `buffer` is lent: it is the handler's until it returns or its promise settles. Then the kernel uses it again, so a
   * reference that is kept reads and writes other requests' data.
   */
  read(buffer: Buffer, offset: number): Awaitable<void>;
  /**
   * Stores `buffer` at `offset`. With `flush`, the data may be in a cache when it is done, unless `fua` is set; without
   * `flush` it must be durable. The buffer is lent, as for `read`.
   */
  write?: ((buffer: Buffer, offset: number, options: WriteOptions) => Awaitable<void>) | undefined;
  /** Makes every write that is done durable. Present: the device has a write cache. Absent: the kernel never asks. */
  flush?: (() => Awaitable<void>) | undefined;
  /** The range is not needed any more; what a read of it returns is the target's choice. Present: discards are offered. */
  discard?: ((offset: number, length: number) => Awaitable<void>) | undefined;
  /** The range reads as zeroes from now on. Absent: the kernel writes zeroes itself. */
  writeZeroes?: ((offset: number, length: number, options: WriteZeroesOptions) => Awaitable<void>) | undefined;
  /**
   * The device leaves this server: it was deleted, stopped or quiesced. No request comes any more. It is not called after a
   * crash, nor when the device could not be made, for example because `open` of another thread has thrown.
   */
  close?: (() => Awaitable<void>) | undefined;
}

/** How a loaded module is known to be a target, whichever copy of this package it has imported. */
export const TARGET_BRAND = Symbol.for('ublkts.target');

/** A target that was defined. It is the default export of its file. */
export interface Target {
  readonly [TARGET_BRAND]: 'handlers' | 'ring';
}

/** The options of a target that declares none: no name of one, so that `options.size` is refused by the compiler. */
export type NoOptions = { readonly [Name in never]: never };

/** Declares a target of byte handlers: `export default defineTarget({ ... })`. It runs nothing. */
export function defineTarget<const Kinds extends OptionKinds = NoOptions, Shared = undefined>(
  definition: TargetDefinition<Kinds, Shared>,
): Target {
  return Object.freeze({ ...definition, [TARGET_BRAND]: 'handlers' as const });
}
