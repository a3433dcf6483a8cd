/**
 * The interface that every target implements. A target says what the device is made of and what each request becomes.
 * It never sees a ring offset, a ublk command, or how the data of a request travels.
 *
 * It has two halves. `open` runs once, on the server's main thread: it opens files and says how large the device is.
 * `queue` runs on every queue thread and serves requests. The halves share nothing but the plain data of
 * `Opened.state`.
 */
import type { IntegrityOptions } from '../spec/options.ts';
import type { OpenRequest, TargetTraits } from '../spec/target-traits.ts';
import type { ParamsInit } from '../control/commands.ts';

export type { OpenRequest } from '../spec/target-traits.ts';

/** A target: its traits, which decide what a device can be, and its two halves. */
export interface TargetType<State = unknown> extends TargetTraits {
  /** One line for `--help`. */
  readonly summary: string;
  /** Opens the target. Throws a UblkError when that is not possible, and closes again what it had opened. */
  open(request: OpenRequest): Opened<State>;
  /** Makes the object that serves requests; it is called once on each queue thread. */
  queue(context: QueueContext<State>): TargetQueue;
  /**
   * Makes sure that the files have room for a device of another size, or throws a UblkError. It runs in the process
   * that asks, beside the server. A target without it can have any size.
   */
  resize?(request: ResizeRequest): void;
}

export interface ResizeRequest extends Pick<OpenRequest, 'options' | 'integrity'> {
  /** Paths to the backing files that the device's server has open. */
  readonly files: readonly string[];
  /** The names that a person knows the files by. */
  readonly names: readonly string[];
  /** The device's new size. */
  readonly bytes: number;
  /** Whether files that are too small may be made larger. */
  readonly grow: boolean;
}

export interface Opened<State = unknown> {
  /** The limits and the size of the device, as the kernel's struct ublk_params has them. */
  readonly params: ParamsInit;
  /** Open descriptors. `IoRequest.read` and the others name a file by its index here. */
  readonly files: readonly number[];
  /** Plain data for the queue threads, which get a structured clone of it. */
  readonly state: State;
  /** The most ring operations that one request can have under way at once. */
  readonly operations: number;
  /** Sentences about what the user may not expect, such as a read-only file; `add` and `recover` show them. */
  readonly notes?: readonly string[];
  /** Closes what was opened. It is called when the device is gone or could not be made. */
  close(): void;
}

export interface QueueContext<State = unknown> {
  readonly state: State;
  readonly integrity: IntegrityOptions | null;
  /** The number of slots: every `IoRequest.slot` is below it. */
  readonly slots: number;
  readonly maxIoBufBytes: number;
}

/** The half that serves requests on one queue thread. It is the hot path: it must not allocate, await or log. */
export interface TargetQueue {
  /**
   * Serves a request that has arrived: completes it, or starts operations and completes it when they have ended. `io`
   * is used again for the next request, so keep `io.slot` and not `io`.
   */
  queueIo(io: IoRequest): void;
  /**
   * Is called when an operation of `io` has ended. `result` is that of the system call, `token` is what it was started
   * with.
   */
  operationDone(io: IoRequest, token: number, result: number): void;
  /**
   * Is called for each tag before it is first fetched, after the fetches before it were submitted. It is for fault
   * injection.
   */
  beforeFetch?(slot: number): void;
}

/**
 * The request that is being served: one object per thread, filled again for each request. 64-bit values are pairs of
 * int32 words, low and high.
 */
export interface IoRequest {
  /** The slot of the request, 0 to slots - 1: a key for a target's own state per request. */
  readonly slot: number;
  /** The operation: UBLK_IO_OP_*. */
  readonly op: number;
  /** UBLK_IO_F_*, and the operation in bits 0-7. */
  readonly flags: number;
  /** The first sector. */
  readonly startLo: number;
  readonly startHi: number;
  /** The length in sectors of 512 bytes. */
  readonly sectors: number;
  /** The length in bytes. Do not use it for DISCARD and WRITE_ZEROES, whose lengths may not fit. */
  readonly bytes: number;

  /** The number of operations of this request that have not ended. */
  readonly pending: number;
  /** A number for the target's own use, for example the result so far. It is 0 when the request arrives. */
  result: number;

  /**
   * The base of the data, for the iovecs of `readv` and `writev`: an address, or 0 when the data is in a registered
   * buffer, whose addresses begin at 0.
   */
  readonly dataLo: number;
  readonly dataHi: number;

  /**
   * Completes the request with the number of bytes, or with -errno. Call it once per request, with no operation
   * pending.
   */
  complete(result: number): void;

  /** Reads `length` bytes at byte `offset` of `file` into the request's data, `at` bytes from its start. */
  read(file: number, offsetLo: number, offsetHi: number, at: number, length: number, token: number): void;
  /**
   * Writes `length` bytes of the request's data, `at` bytes from its start, at byte `offset` of `file`. `rwFlags` are
   * RWF_*.
   */
  write(
    file: number,
    offsetLo: number,
    offsetHi: number,
    at: number,
    length: number,
    rwFlags: number,
    token: number,
  ): void;
  /**
   * Reads into `count` iovecs at the address `vec`. The base of an iovec is dataLo/dataHi plus a position in the data.
   */
  readv(
    file: number,
    offsetLo: number,
    offsetHi: number,
    vecLo: number,
    vecHi: number,
    count: number,
    token: number,
  ): void;
  /** Writes from `count` iovecs, as `readv` reads. */
  writev(
    file: number,
    offsetLo: number,
    offsetHi: number,
    vecLo: number,
    vecHi: number,
    count: number,
    rwFlags: number,
    token: number,
  ): void;
  /** Syncs the data of `file`, as fdatasync(2) does. */
  fsync(file: number, token: number): void;
  /** Allocates, zeroes or frees a range of `file`, as fallocate(2) does. */
  fallocate(
    file: number,
    mode: number,
    offsetLo: number,
    offsetHi: number,
    lengthLo: number,
    lengthHi: number,
    token: number,
  ): void;
  /** Waits for the time of the __kernel_timespec at this address, and ends with -ETIME. */
  timeout(timespecLo: number, timespecHi: number, token: number): void;
  /** Reads the request's integrity metadata instead of its data. Only a device with integrity has metadata. */
  readIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
  /** Writes the request's integrity metadata. */
  writeIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
}
