/**
 * /dev/ublk-control and the ring that carries its commands.
 *
 * Contract
 * - Used by one thread; `close()` when done. Several commands may be under way.
 * - Nothing here sleeps in a system call. `ask` is for the commands that the driver answers inside the submission; `run`
 *   answers with a promise, and the event loop turns meanwhile.
 * - A process cannot exit while the kernel works on a command of its own that it does not get done. Commands that can
 *   wait without end for another process therefore run elsewhere (apart.ts).
 */
import { io_uring_enter } from '../native/libc/calls.ts';
import { type MappedMemory, mapAnonymous, PAGE_SIZE } from '../native/memory.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { IORING_ENTER_EXT_ARG, IORING_ENTER_GETEVENTS } from '../native/uapi/io-uring-enter.ts';
import { encode } from '../native/uapi/codec.ts';
import { IORING_OP_WRITE } from '../native/uapi/io-uring-opcodes.ts';
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_IO_HARDLINK } from '../native/uapi/io-uring-sqe-flags.ts';
import { io_uring_getevents_arg, kernel_timespec } from '../native/uapi/io-uring-structs.ts';
import {
  CQE_WORD_RES,
  CQE_WORD_USER_DATA_LO,
  SQE_WORD_ADDR_HI,
  SQE_WORD_ADDR_LO,
  SQE_WORD_FD,
  SQE_WORD_LEN,
  SQE_WORD_OPCODE,
  SQE_WORD_USER_DATA_LO,
  SQE128_WORDS,
} from '../native/uapi/io-uring-words.ts';
import { UblkError } from '../errors.ts';
import { type ControlCommand, prepareCommand } from './command.ts';
import { CompletionPipe } from './completion-pipe.ts';
import { requireDeviceOf } from './device-id.ts';
import { requestOf } from './failures.ts';
import { type ControlRing, openControlRing } from './open.ts';
import { bounded, DEFAULT_TIMEOUT_MS, type WaitOptions } from './waiting.ts';
import { ERRNO } from '../native/uapi/errno.ts';

/** Commands under way at a time, at most, each with a buffer of its own in the channel's page. */
const SLOTS = 7;
const SLOT_BYTES = 512;
/** Behind the buffers: the byte that wakes, and the bound of `ask`. */
const SPARE_AT = SLOTS * SLOT_BYTES;

/** The longest that `ask` waits for a driver that answers in a kernel thread, as older ones do. */
const ASK_SECONDS = 1;

const { EINTR, ETIME } = ERRNO;

interface Pending {
  readonly command: ControlCommand;
  readonly answer: (result: number) => void;
}

export class ControlChannel {
  readonly #control: ControlRing;
  readonly #page: MappedMemory;
  /** The commands under way, by slot. */
  readonly #pending: (Pending | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  #pipe: CompletionPipe | undefined;
  #isClosed = false;

  constructor() {
    this.#page = mapAnonymous(PAGE_SIZE, 'of command buffers');
    try {
      this.#control = openControlRing(2 * (SLOTS + 1));
    } catch (error) {
      this.#page.unmap();
      throw error;
    }
  }

  /**
   * The result of a command that never waits: GET_DEV_INFO, GET_QUEUE_AFFINITY or GET_FEATURES. Negative
   * (-errno) when the driver refused.
   */
  ask(command: ControlCommand): number {
    let result: number | undefined;
    this.#prepare(command, 0, (value) => {
      result = value;
    });
    this.#submit(command);
    this.#harvest();
    if (result === undefined) this.#waitBriefly(command);
    if (result === undefined) throw lateError(command, ASK_SECONDS * 1000);
    return result;
  }

  /** The result of a command that may take its time. Default bound: 30 s. Rejects when the bound or the signal ends it. */
  async run(command: ControlCommand, options: WaitOptions = {}): Promise<number> {
    const { signal, onWaiting, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<number>();
    let answered = false;
    this.#pipe ??= new CompletionPipe(() => this.#harvest());
    this.#prepare(command, IOSQE_IO_HARDLINK, (result) => {
      answered = true;
      resolve(result);
    });
    this.#prepareWakeUp(this.#pipe.fd);
    this.#submit(command);
    this.#harvest();
    if (!answered) {
      onWaiting?.(`waiting for ${command.waitsFor ?? `the driver to ${requestOf(command.name, command.device)}`}`);
      this.#pipe.keepAlive(true);
    }
    return bounded(promise, { signal, timeoutMs, late: () => lateError(command, timeoutMs) });
  }

  /** The kernel finishes on its own what is still under way, and nobody is told. There are no commands afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#pipe?.close();
    this.#control.close();
    // A command that was given up may still write into its buffer.
    if (!this.#isBusy()) this.#page.unmap();
  }

  #prepare(command: ControlCommand, flags: number, answer: Pending['answer']): void {
    // Its memory is not mapped any more.
    if (this.#isClosed) throw closedError(command);
    requireDeviceOf(command);
    const slot = this.#pending.indexOf(undefined);
    if (slot < 0) throw new RangeError(`${command.name}: ${SLOTS} commands are under way on this channel already`);
    const { buffer } = command;
    if (buffer !== undefined && buffer.length > SLOT_BYTES) {
      throw new RangeError(`${command.name}: a buffer of ${buffer.length} bytes`);
    }
    if (buffer !== undefined) this.#page.bytes.set(buffer, slot * SLOT_BYTES);
    this.#pending[slot] = { command, answer };
    const address = this.#page.address + BigInt(slot * SLOT_BYTES);
    prepareCommand(this.#control.ring.sq, command, { fd: this.#control.fd, address, userData: slot, flags });
  }

  /** Completes silently; runs when the command before it has completed, well or not. */
  #prepareWakeUp(fd: number): void {
    const { sq } = this.#control.ring;
    const address = this.#page.address + BigInt(SPARE_AT);
    const at = sq.next();
    sq.words.fill(0, at, at + SQE128_WORDS);
    sq.words[at + SQE_WORD_OPCODE] = IORING_OP_WRITE | (IOSQE_CQE_SKIP_SUCCESS << 8);
    sq.words[at + SQE_WORD_FD] = fd;
    sq.words[at + SQE_WORD_ADDR_LO] = Number(BigInt.asIntN(32, address));
    sq.words[at + SQE_WORD_ADDR_HI] = Number(BigInt.asIntN(32, address >> 32n));
    sq.words[at + SQE_WORD_LEN] = 1;
    sq.words[at + SQE_WORD_USER_DATA_LO] = NOBODY;
  }

  #submit(command: ControlCommand): void {
    const { sq, fd } = this.#control.ring;
    sq.publish();
    while (sq.pending > 0) {
      const taken = io_uring_enter(fd, sq.pending, 0, 0, NO_ARGUMENT);
      if (taken > 0) sq.consumed(taken);
      else if (taken !== -EINTR) throw enterError(command, -taken);
    }
  }

  #harvest(): void {
    const { cq } = this.#control.ring;
    for (let head = cq.head; head !== cq.ready(); ) {
      const at = cq.at(head);
      const slot = cq.words[at + CQE_WORD_USER_DATA_LO]!;
      const result = cq.words[at + CQE_WORD_RES]!;
      head = (head + 1) | 0;
      cq.seen(head);
      const pending = this.#pending[slot];
      if (pending === undefined) continue;
      const { buffer } = pending.command;
      if (buffer !== undefined) {
        buffer.set(this.#page.bytes.subarray(slot * SLOT_BYTES, slot * SLOT_BYTES + buffer.length));
      }
      this.#pending[slot] = undefined;
      pending.answer(result);
    }
    if (!this.#isBusy()) this.#pipe?.keepAlive(false);
  }

  #isBusy(): boolean {
    return this.#pending.some((pending) => pending !== undefined);
  }

  #waitBriefly(command: ControlCommand): void {
    const { fd } = this.#control.ring;
    this.#page.bytes.set(encode(kernel_timespec, { tv_sec: BigInt(ASK_SECONDS), tv_nsec: 0n }), SPARE_AT + 8);
    const argument = encode(io_uring_getevents_arg, { ts: this.#page.address + BigInt(SPARE_AT + 8) });
    const result = io_uring_enter(fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, argument);
    if (result < 0 && result !== -EINTR && result !== -ETIME) throw enterError(command, -result);
    this.#harvest();
  }
}

/** `user_data` of an entry whose completion nobody waits for. */
const NOBODY = SLOTS;
const NO_ARGUMENT = new Uint8Array(0);

/** Opens the control device for as long as `use` takes. */
export async function withControl<T>(use: (channel: ControlChannel) => T | Promise<T>): Promise<T> {
  const channel = new ControlChannel();
  try {
    return await use(channel);
  } finally {
    channel.close();
  }
}

function closedError({ name, device }: ControlCommand): UblkError {
  return new UblkError(`cannot ${requestOf(name, device)}: the device is gone`, {
    code: 'ENODEV',
    kind: 'no-device',
    command: name,
    ...(device === undefined ? {} : { device }),
  });
}

function lateError({ name, device }: ControlCommand, timeoutMs: number): UblkError {
  return new UblkError(`the driver did not ${requestOf(name, device)} within ${timeoutMs / 1000} s`, {
    code: 'TIMEOUT',
    command: name,
    device,
    hint: 'the server of the device may be stuck: see `ublkts list` and `dmesg`',
  });
}

function enterError(command: ControlCommand, errno: number): UblkError {
  return new UblkError(`io_uring_enter for ${command.name}: ${errnoText(errno)}`, {
    code: errnoName(errno),
    command: command.name,
    device: command.device,
  });
}
