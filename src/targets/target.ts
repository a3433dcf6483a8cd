/**
 * The interface that every target is written against, built-in or a user's own. A target says what the device is and
 * what each request becomes; it never sees a ring offset, a ublk command or how data travels.
 *
 * It has two halves. `open` runs once, on the server's main thread: it opens files and says how large the device is.
 * `queue` runs on every queue thread and serves requests; the halves share nothing but the plain data of `Opened.state`.
 */
import type { IntegrityOptions } from '../spec/options.ts';
import type { OpenRequest, TargetTraits } from '../spec/target-traits.ts';
import type { ParamsInit } from '../control/commands.ts';

export type { OpenRequest } from '../spec/target-traits.ts';

/** What a target is: its traits, which decide what a device can be, and its two halves. */
export interface TargetType<State = unknown> extends TargetTraits {
  /** One line for `--help`. */
  readonly summary: string;
  /** Throws a UblkError when the target cannot be opened; what was opened by then is closed again. */
  open(request: OpenRequest): Opened<State>;
  queue(context: QueueContext<State>): TargetQueue;
}

export interface Opened<State = unknown> {
  /** Limits and size, in the kernel's own terms. */
  readonly params: ParamsInit;
  /** Open descriptors, by the numbers that `IoRequest.read` and the rest call files: 0 is the first. */
  readonly files: readonly number[];
  /** Plain data for the queue threads (structured clone). */
  readonly state: State;
  /** Ring operations that one request can have under way at once. */
  readonly operations: number;
  /** What is not as one might expect, each a sentence; `add` shows them. */
  readonly notes?: readonly string[];
  /** The device is gone or was never there. Errors are reported, not thrown away. */
  close(): void;
}

export interface QueueContext<State = unknown> {
  readonly state: State;
  readonly integrity: IntegrityOptions | null;
  /** Every `IoRequest.slot` is below this. */
  readonly slots: number;
  readonly maxIoBufBytes: number;
}

/**
 * One thread's half. Both functions are on the hot path: no allocation, no closure, no await, no log.
 */
export interface TargetQueue {
  /** A request has come. Complete it, or start operations that will; `io` is the thread's only one: keep the slot. */
  queueIo(io: IoRequest): void;
  /** An operation of request `io` has ended: `result` is the system call's, `token` what it was started with. */
  operationDone(io: IoRequest, token: number, result: number): void;
  /** Called for each tag before it is first fetched, with the fetches before it submitted; only fault injection wants it. */
  beforeFetch?(slot: number): void;
}

/**
 * The request at hand: a cursor, filled anew for each. 64-bit values are pairs of int32 words, low and high.
 */
export interface IoRequest {
  /** Which of the device's requests: 0 .. slots-1; a key for a target's own per-request state. */
  readonly slot: number;
  /** UBLK_IO_OP_* */
  readonly op: number;
  /** UBLK_IO_F_*, and the op in bits 0-7. */
  readonly flags: number;
  readonly startLo: number;
  readonly startHi: number;
  /** 512-byte sectors. */
  readonly sectors: number;
  /** The same in bytes; for DISCARD and WRITE_ZEROES it may not fit and is not to be used. */
  readonly bytes: number;

  /** Operations of this request that have not ended. */
  readonly pending: number;
  /** The result so far, the target's own scratch: 0 when the request comes. */
  result: number;

  /**
   * Where the data is, as a base for `readv`'s vectors: an address, or 0 when it is a registered buffer, whose
   * addresses begin at 0.
   */
  readonly dataLo: number;
  readonly dataHi: number;

  /** Bytes done, or -errno. Once a request, with no operation pending. */
  complete(result: number): void;

  /** Reads `length` bytes at byte `offset` of `file` into the request's data, `at` bytes from its start. */
  read(file: number, offsetLo: number, offsetHi: number, at: number, length: number, token: number): void;
  /** `rwFlags`: RWF_*. */
  write(
    file: number,
    offsetLo: number,
    offsetHi: number,
    at: number,
    length: number,
    rwFlags: number,
    token: number,
  ): void;
  /** Vectored, with `count` iovecs at an address: their bases are dataLo/dataHi plus where in the data. */
  readv(
    file: number,
    offsetLo: number,
    offsetHi: number,
    vecLo: number,
    vecHi: number,
    count: number,
    token: number,
  ): void;
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
  /** fdatasync. */
  fsync(file: number, token: number): void;
  fallocate(
    file: number,
    mode: number,
    offsetLo: number,
    offsetHi: number,
    lengthLo: number,
    lengthHi: number,
    token: number,
  ): void;
  /** Ends with -ETIME after the time of the __kernel_timespec at this address. */
  timeout(timespecLo: number, timespecHi: number, token: number): void;
  /** As read and write, for the request's integrity metadata instead of its data; only with --metadata_size. */
  readIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
  writeIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
}
