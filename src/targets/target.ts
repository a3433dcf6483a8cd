/**
 * The interface that every target implements. A target says what the device is made of and what each request becomes.
 * It never sees a ring offset, a ublk command, or how the data of a request travels.
 *
 * It has two halves. `open` runs once, on the server's main thread: it opens files and says how large the device is.
 * `queue` runs on every queue thread and serves requests. The halves share nothing but the plain data of
 * `Opened.state`.
 */
import type { Namespace } from '../native/namespaces.ts';
import type { IntegrityOptions } from '../spec/options.ts';
import type { OpenRequest, TargetTraits } from '../spec/target-traits.ts';
import type { ParamsInit } from '../control/commands.ts';
import type { ServedExport } from './holders.ts';
import type { ConnectionWriter } from '../stats/connection-writer.ts';

export type { OpenRequest } from '../spec/target-traits.ts';

/** A target: its traits, which decide what a device can be, and its two halves. */
export interface TargetType<State = unknown> extends TargetTraits {
  /** One line for `--help`. */
  readonly summary: string;
  /**
   * Looks at what the device is to be made of, before there is a device, and returns the traits that follow from it.
   * Throws a UblkError when no device can be made of it. `recovering`: the device exists, and another server has served
   * it. `signal`: the caller gives up, and nothing that was started for it may be left.
   */
  inspect?(
    options: Readonly<Record<string, string>>,
    recovering: boolean,
    signal?: AbortSignal,
  ): Promise<Partial<TargetTraits>>;
  /** Opens the target. Throws a UblkError when that is not possible, and closes again what it had opened. */
  open(request: OpenRequest): Opened<State> | Promise<Opened<State>>;
  /**
   * Makes the object that serves requests. It is called once on each queue thread, before the thread fetches. `add`
   * reports what it throws, and no device is left.
   */
  queue(context: QueueContext<State>): TargetQueue | Promise<TargetQueue>;
  /**
   * Makes sure that the files have room for a device of another size, or throws a UblkError. It runs in the process
   * that asks, beside the server. A target without it can have any size.
   */
  resize?(request: ResizeRequest): void | Promise<void>;
}

/** What a target that comes with this program says besides. The code of a target in a file may open anything at any time. */
export interface BuiltInTarget<State = unknown> extends TargetType<State> {
  /**
   * The namespaces in which what its options name is looked up, so that no server in another one takes a device with
   * them. Backing files and shared buffers are not its concern.
   */
  namespaces(options: Readonly<Record<string, string>>): readonly Namespace[];
  /**
   * Looks for other devices than `except` that serve what the options lead to, however theirs are written; null when they
   * lead to nothing that one device must have to itself. Backing files are not its concern.
   */
  alsoServed?(options: Readonly<Record<string, string>>, except: number): Promise<ServedExport | null>;
  /** Paths that lead to what the device is made of, for a target whose options name some. */
  places?(options: Readonly<Record<string, string>>): readonly string[];
  /** Paths that a queue may open again while it serves: what they lie on stays mounted for the server. */
  reopens?(options: Readonly<Record<string, string>>): readonly string[];
  /** For a target whose storage is reached over a network or a socket. It takes the place of `resize`. */
  readonly storage?: RemoteStorage;
}

/**
 * Storage that is reached over a network or a socket. Its size is asked for in the device's server, because a command may
 * be in other namespaces (server/storage-socket.ts). `device` is the id.
 */
export interface RemoteStorage {
  /** The name of the storage in messages, for example a URI. */
  name(options: Readonly<Record<string, string>>, device: number): string;
  /** Asks for its size in bytes. It runs on the server's main thread. Throws a UblkError; gives up when the signal aborts. */
  size(options: Readonly<Record<string, string>>, device: number, signal: AbortSignal): Promise<number>;
  /** The hint of the error that it is too small. */
  readonly enlarge: string;
}

export interface ResizeRequest extends Pick<OpenRequest, 'device' | 'options' | 'integrity'> {
  /** Paths to the backing files that the device's server has open. */
  readonly files: readonly string[];
  /** The names that a person knows the files by. */
  readonly names: readonly string[];
  /** The device's size now, and its new size. */
  readonly from: number;
  readonly bytes: number;
  /** Whether files that are too small may be made larger. */
  readonly grow: boolean;
  /** The caller gives up. */
  readonly signal?: AbortSignal | undefined;
}

export interface Opened<State = unknown> {
  /**
   * The limits and the size of the device, as the kernel's struct ublk_params has them; null for a target that knows
   * them on its queue threads only (`TargetQueue.params`).
   */
  readonly params: ParamsInit | null;
  /** Open descriptors. `IoRequest.read` and the others name a file by its index here. */
  readonly files: readonly number[];
  /** Plain data for the queue threads, which get a structured clone of it. */
  readonly state: State;
  /** The most ring operations that one request can have under way at once. */
  readonly operations: number;
  /** Sentences about what the user may not expect, such as a read-only file; `add` and `recover` show them. */
  readonly notes?: readonly string[];
  /**
   * Closes what was opened. It is called when the device is gone or could not be made. The server ends when the promise
   * has been resolved.
   */
  close(): void | Promise<void>;
  /**
   * Resolves to the error to report when a queue thread could not start with `error`: the same one, or a better reason.
   */
  explain?(error: unknown): Promise<unknown>;
}

export interface QueueContext<State = unknown> {
  readonly state: State;
  readonly integrity: IntegrityOptions | null;
  /** The number of slots: every `IoRequest.slot` is below it. */
  readonly slots: number;
  readonly maxIoBufBytes: number;
  /** Which thread this is, 0 to threads - 1. */
  readonly thread: number;
  readonly threads: number;
  /** Returns the size that the device has now, in bytes; null while it has not started. It reads a file: not for the hot path. */
  readonly deviceBytes: () => number | null;
  readonly events: ThreadEvents;
  readonly ring: TargetRing;
  /** Where a target that has a connection publishes its state, for `list`, the monitor and metrics. */
  readonly connection: ConnectionWriter;
}

/**
 * The ring of a queue thread, for operations that belong to no request, such as those of a target's own sockets. Each
 * ends with a call of `TargetQueue.ringDone`. They are submitted with the thread's batch, and their memory must stay as
 * it is until they have ended. `fd` is a plain descriptor. A `token` is a number from 0 to 4095.
 */
export interface TargetRing {
  /** Receives up to `length` bytes. `flags` are MSG_*. With `pollFirst` it does not look for data before it waits. */
  receive(
    fd: number,
    addressLo: number,
    addressHi: number,
    length: number,
    flags: number,
    pollFirst: boolean,
    token: number,
  ): void;
  /**
   * Receives up to `length` bytes into the data of the request of `slot`, from byte `at` on, wherever the data is. In a
   * registered buffer, that takes Linux 7.2.
   */
  receiveData(fd: number, slot: number, at: number, length: number, flags: number, token: number): void;
  /** Sends the message whose struct msghdr is at this address. For `linked`, see `reserve`. */
  sendMessage(fd: number, headerLo: number, headerHi: number, flags: number, linked: boolean, token: number): void;
  /** Sends the first `length` bytes of the data of the request of `slot`, as `receiveData` receives them. */
  sendData(fd: number, slot: number, length: number, flags: number, linked: boolean, token: number): void;
  /**
   * Makes room for `count` operations, so that they are submitted together. An operation after one that is `linked`
   * begins when that one has ended. `ringDone` is not called for a linked operation that succeeds. When one fails,
   * those after it are not begun, and `ringDone` is not called for them.
   */
  reserve(count: number): void;
  /** Waits for the time of the __kernel_timespec at this address, which stays mapped, and ends with -ETIME. */
  timeout(timespecLo: number, timespecHi: number, token: number): void;
  /** The request of `slot`, inside `ringDone` and `batchEnd`; elsewhere, ThreadEvents.request. */
  request(slot: number): IoRequest;
}

/**
 * The event loop of a queue thread, for targets that answer requests from it: from promises, timers and sockets. A queue
 * thread sleeps in its ring, where no event of Node's reaches it. After `sleepInLoop` it sleeps in Node's event loop, which
 * wakes for events of the ring too.
 */
export interface ThreadEvents {
  /** The thread sleeps in the event loop from now on. It can be called again and again, and before the thread serves. */
  sleepInLoop(): void;
  /** The thread sleeps in its ring again: no timer, socket or promise of the target's wakes it from now on. */
  sleepInRing(): void;
  /**
   * The request of `slot`, outside of `queueIo` and `operationDone`. The thread has one IoRequest: it points at this
   * request until the thread points it at another one.
   */
  request(slot: number): IoRequest;
  /**
   * What was completed or started from the event loop is submitted: at once with `now`, otherwise together with what
   * else this turn of the loop brings.
   */
  submit(now: boolean): void;
  /** Publishes what has waited too long, for `list` and the monitor; null: nothing has. */
  reportStuck(stuck: StuckRequests | null): void;
}

/** Requests that have waited too long in a target, described by the one that has waited longest. */
export interface StuckRequests {
  readonly requests: number;
  /** UBLK_IO_OP_* */
  readonly op: number;
  /** Where on the device it begins, in bytes. */
  readonly offset: number;
  /** When it came, in milliseconds since 1970. */
  readonly sinceMs: number;
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
   * An operation of TargetRing has ended; its token, and the result of the system call. `hasMore`: behind what a receive
   * got, the socket holds more (IORING_CQE_F_SOCK_NONEMPTY). A kernel that cannot tell says no.
   */
  ringDone?(token: number, result: number, hasMore: boolean): void;
  /**
   * All that the thread had to do in this batch is done: what the target has collected can be submitted. Returns how many
   * of the operations that it starts here end while they are submitted, so that their ends are no reason to return from
   * the ring; 0 is always right, and a number that is too high makes the thread sleep too long.
   */
  batchEnd?(): number;
  /**
   * Is called for each tag before it is first fetched, after the fetches before it were submitted. It is for fault
   * injection.
   */
  beforeFetch?(slot: number): void;
  /** For a target whose `Opened.params` is null. All threads must say the same. */
  readonly params?: ParamsInit;
  /** What `Opened.notes` would say, for a target that learns it on its threads only. What several threads say is shown once. */
  readonly notes?: readonly string[];
  /** The device has left this server, and no request comes any more. Failures are logged. */
  close?(): void | Promise<void>;
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
  /** The first sector. That of a flush means nothing. */
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
   * The request's data as bytes, in place. They are the target's until the request is completed. It allocates nothing
   * for the lengths that are usual. It is not available where the data is in a registered buffer (zero copy), nor for
   * DISCARD and WRITE_ZEROES. A target that calls it says so (`TargetTraits.looksAtData`).
   */
  view(): Buffer;
  /**
   * Gives the slot other memory, because the request is about to be completed while somebody may still write to its
   * view. Call the function that is returned when nobody writes any more. Where the data is a client's own memory (a
   * registered buffer), it stays.
   */
  abandonView(): () => void;

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
