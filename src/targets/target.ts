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

/** A target: its traits, which decide what a device can be, and its two halves. */
export interface TargetType<State = unknown> extends TargetTraits {
  /** One line for `--help`. */
  readonly summary: string;
  /** Throws a UblkError when the target cannot be opened; what was opened by then is closed again. */
  open(request: OpenRequest): Opened<State>;
  queue(context: QueueContext<State>): TargetQueue;
  /**
   * Makes sure that the files have room for a device of another size, or throws a UblkError. It runs in the process that
   * asks, beside the server. A target without it can have any size.
   */
  resize?(request: ResizeRequest): void;
}

export interface ResizeRequest extends Pick<OpenRequest, 'options' | 'integrity'> {
  /** The device's backing files, by paths that lead to what its server has open. */
  readonly files: readonly string[];
  /** The names that a person knows the files by. */
  readonly names: readonly string[];
  /** The device's new size. */
  readonly bytes: number;
  /** Files that are too small may be made larger. */
  readonly grow: boolean;
}

export interface Opened<State = unknown> {
  /** The limits and the size of the device, in the kernel's own terms. */
  readonly params: ParamsInit;
  /** Open descriptors. `IoRequest.read` and the others name a file by its index here. */
  readonly files: readonly number[];
  /** Plain data for the queue threads (structured clone). */
  readonly state: State;
  /** Ring operations that one request can have under way at once. */
  readonly operations: number;
  /** Sentences about what one might not expect; `add` and `recover` show them. */
  readonly notes?: readonly string[];
  /** Closes what was opened: the device is gone, or never came to be. */
  close(): void;
}

export interface QueueContext<State = unknown> {
  readonly state: State;
  readonly integrity: IntegrityOptions | null;
  /** The number of slots: every `IoRequest.slot` is below it. */
  readonly slots: number;
  readonly maxIoBufBytes: number;
}

/**
 * One thread's half. Both functions are on the hot path: no allocation, no closure, no await, no log.
 */
export interface TargetQueue {
  /** A request has arrived: complete it, or start operations that will. `io` is used again for the next; keep its slot. */
  queueIo(io: IoRequest): void;
  /** An operation of request `io` has ended: `result` is the system call's, `token` what it was started with. */
  operationDone(io: IoRequest, token: number, result: number): void;
  /** Called for each tag before it is first fetched, when the fetches before it are submitted; for fault injection. */
  beforeFetch?(slot: number): void;
}

/**
 * The request that is being served: one object per thread, filled again for each request. 64-bit values are pairs of
 * int32 words, low and high.
 */
export interface IoRequest {
  /** The slot of the request, 0 to slots - 1: a key for a target's own state per request. */
  readonly slot: number;
  /** UBLK_IO_OP_* */
  readonly op: number;
  /** UBLK_IO_F_*, and the op in bits 0-7. */
  readonly flags: number;
  readonly startLo: number;
  readonly startHi: number;
  /** 512-byte sectors. */
  readonly sectors: number;
  /** The length in bytes; not for DISCARD and WRITE_ZEROES, whose lengths may not fit. */
  readonly bytes: number;

  /** Operations of this request that have not ended. */
  readonly pending: number;
  /** Scratch space of the target, for the result so far: 0 when the request arrives. */
  result: number;

  /**
   * Where the data is, as a base for `readv`'s vectors: an address, or 0 when it is a registered buffer, whose
   * addresses begin at 0.
   */
  readonly dataLo: number;
  readonly dataHi: number;

  /** Completes the request with the bytes done, or -errno: once per request, with no operation pending. */
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
  /** Reads and writes the request's integrity metadata instead of its data; only with --metadata_size. */
  readIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
  writeIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void;
}
