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
import { closeSync } from 'node:fs';
import { io_uring_enter } from '../native/libc/calls.ts';
import { type MappedMemory, mapAnonymous, PAGE_SIZE } from '../native/memory.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { IORING_ENTER_EXT_ARG, IORING_ENTER_GETEVENTS } from '../native/uapi/io-uring-enter.ts';
import { encode } from '../native/uapi/codec.ts';
import { IORING_OP_WRITE } from '../native/uapi/io-uring-opcodes.ts';
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_FIXED_FILE, IOSQE_IO_HARDLINK } from '../native/uapi/io-uring-sqe-flags.ts';
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
import { CommandRing, type SpareRing } from './command-ring.ts';
import { WRITE_END } from './completion-pipe.ts';
import { requireDeviceOf } from './device-id.ts';
import { requestOf } from './failures.ts';
import { openControl } from './open.ts';
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
  readonly #page: MappedMemory;
  /** Descriptor of the control device. */
  readonly #fd: number;
  readonly #ring: CommandRing;
  readonly #spare: SpareRing | null;
  /** The commands under way, by slot. */
  readonly #pending: (Pending | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  #isClosed = false;

  /** `spare`: where the ring comes from, if there is one, and where it stays when the channel is closed. */
  constructor(spare: SpareRing | null = null) {
    this.#page = mapAnonymous(PAGE_SIZE, 'of command buffers');
    let fd: number | undefined;
    try {
      fd = openControl();
      this.#ring = spare?.take() ?? new CommandRing(2 * (SLOTS + 1));
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      this.#page.unmap();
      throw error;
    }
    this.#fd = fd;
    this.#spare = spare;
    this.#ring.onCompletion = () => this.#harvest();
  }

  /**
   * The result of a command that never waits: GET_DEV_INFO, GET_QUEUE_AFFINITY or GET_FEATURES. Negative
   * (-errno) when the driver refused.
   */
  ask(command: ControlCommand): number {
    this.#requireOpen(command);
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
    this.#requireOpen(command);
    const { promise, resolve } = Promise.withResolvers<number>();
    let answer: number | undefined;
    const pipe = this.#ring.pipe();
    this.#prepare(command, IOSQE_IO_HARDLINK, (result) => {
      answer = result;
      resolve(result);
    });
    this.#prepareWakeUp();
    this.#submit(command);
    this.#harvest();
    if (answer !== undefined) return answer;
    onWaiting?.(`waiting for ${command.waitsFor ?? `the driver to ${requestOf(command.name, command.device)}`}`);
    pipe.keepAlive(true);
    return bounded(promise, { signal, timeoutMs, late: () => lateError(command, timeoutMs) });
  }

  /** The kernel finishes on its own what is still under way, and nobody is told. There are no commands afterwards. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ring.onCompletion = () => {};
    closeSync(this.#fd);
    // A command that was given up may still write into its buffer.
    const isBusy = this.#isBusy();
    if (!isBusy) this.#page.unmap();
    if (isBusy || this.#spare === null) this.#ring.close();
    else this.#spare.keep(this.#ring);
  }

  /** The ring of a channel that is closed is gone, or another channel's. */
  #requireOpen(command: ControlCommand): void {
    if (this.#isClosed) throw closedError(command);
  }

  #prepare(command: ControlCommand, flags: number, answer: Pending['answer']): void {
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
    prepareCommand(this.#ring.parts.sq, command, { fd: this.#fd, address, userData: slot, flags });
  }

  /** Completes silently; runs when the command before it has completed, well or not. */
  #prepareWakeUp(): void {
    const { sq } = this.#ring.parts;
    const address = this.#page.address + BigInt(SPARE_AT);
    const at = sq.next();
    sq.words.fill(0, at, at + SQE128_WORDS);
    sq.words[at + SQE_WORD_OPCODE] = IORING_OP_WRITE | ((IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS) << 8);
    sq.words[at + SQE_WORD_FD] = WRITE_END;
    sq.words[at + SQE_WORD_ADDR_LO] = Number(BigInt.asIntN(32, address));
    sq.words[at + SQE_WORD_ADDR_HI] = Number(BigInt.asIntN(32, address >> 32n));
    sq.words[at + SQE_WORD_LEN] = 1;
    sq.words[at + SQE_WORD_USER_DATA_LO] = NOBODY;
  }

  #submit(command: ControlCommand): void {
    const { sq, fd } = this.#ring.parts;
    sq.publish();
    while (sq.pending > 0) {
      const taken = io_uring_enter(fd, sq.pending, 0, 0, NO_ARGUMENT);
      if (taken > 0) sq.consumed(taken);
      else if (taken !== -EINTR) throw enterError(command, -taken);
    }
  }

  #harvest(): void {
    const { cq } = this.#ring.parts;
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
    if (!this.#isBusy()) this.#ring.rest();
  }

  #isBusy(): boolean {
    return this.#pending.some((pending) => pending !== undefined);
  }

  #waitBriefly(command: ControlCommand): void {
    const { fd } = this.#ring.parts;
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
