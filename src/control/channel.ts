/**
 * /dev/ublk-control and the ring that carries its commands, one at a time, each with a bound on the wait.
 *
 * Contract: used by one thread; `close()` when done. A command that did not answer in time leaves the channel unusable:
 * the kernel still holds it, and only closing the ring lets go.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../errors.ts';
import { io_uring_enter } from '../native/libc/calls.ts';
import { type MappedMemory, mapAnonymous, PAGE_SIZE } from '../native/memory.ts';
import { type RingParts, setUpRing } from '../native/ring/setup.ts';
import { encode } from '../native/uapi/codec.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { IORING_ENTER_EXT_ARG, IORING_ENTER_GETEVENTS } from '../native/uapi/io-uring-enter.ts';
import { IORING_OP_URING_CMD } from '../native/uapi/io-uring-opcodes.ts';
import { IORING_SETUP_SQE128 } from '../native/uapi/io-uring-setup.ts';
import { io_uring_getevents_arg, kernel_timespec } from '../native/uapi/io-uring-structs.ts';
import { CQE_WORD_RES, SQE_CMD_OFFSET } from '../native/uapi/io-uring-words.ts';
import { ublksrv_ctrl_cmd } from '../native/uapi/ublk-structs.ts';
import { openFailure } from './failures.ts';

export const CONTROL_DEVICE = '/dev/ublk-control';

export interface ControlCommand {
  /** The kernel's name without `UBLK_U_CMD_`, for errors. */
  readonly name: string;
  readonly op: number;
  /** 0xffffffff (-1) asks ADD_DEV for any. */
  readonly device: number;
  /** Copied in before the command and out after it. */
  readonly buffer?: Uint8Array;
  readonly data?: bigint;
  /** Bytes of `buffer` that are the char device's path with its null. */
  readonly devicePathLength?: number;
  readonly timeoutMs?: number;
}

/** Commands wait for queues to drain and servers to leave; longer than that, something is wrong and must be said. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Where the pieces lie in the channel's page. */
const BUFFER_AT = 0;
const BUFFER_MAX = 2048;
const TIMESPEC_AT = 2048;

/** How long a server's main thread may be kept from its other work. */
const MOMENT_MS = 20;

const ETIME = 62;
const EINTR = 4;
const NO_QUEUE = 0xffff;

export class ControlChannel {
  readonly #fd: number;
  readonly #ring: RingParts;
  readonly #page: MappedMemory;

  constructor() {
    try {
      this.#fd = openSync(CONTROL_DEVICE, constants.O_RDWR);
    } catch (error) {
      throw openFailure(CONTROL_DEVICE, error);
    }
    try {
      requireControlDevice(this.#fd);
      this.#ring = setUpRing({ sqEntries: 4, cqEntries: 8, flags: IORING_SETUP_SQE128 });
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
    this.#page = mapAnonymous(PAGE_SIZE, 'of a command buffer');
  }

  /** The command's result, which is negative (-errno) when the driver refused. */
  run(command: ControlCommand): number {
    const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#prepare(command);
    if (!this.#answered(command, timeoutMs)) throw timeoutError(command, timeoutMs);
    return this.#result(command);
  }

  /**
   * As run, for a server's main thread: blocks it for a moment at most, and waits for as long as the driver takes. That
   * is as long as the requests take that REG_BUF and UNREG_BUF wait for: nobody knows how to stop waiting for them.
   */
  async runPatiently(command: ControlCommand): Promise<number> {
    this.#prepare(command);
    if (!this.#answered(command, MOMENT_MS)) {
      const { cq } = this.#ring;
      while (cq.ready() === cq.head) await sleep(MOMENT_MS);
    }
    return this.#result(command);
  }

  close(): void {
    this.#ring.ring.unmap();
    this.#ring.sqes.unmap();
    closeSync(this.#ring.fd);
    this.#page.unmap();
    closeSync(this.#fd);
  }

  #prepare(command: ControlCommand): void {
    const { sq } = this.#ring;
    const length = command.buffer?.length ?? 0;
    if (length > BUFFER_MAX) throw new RangeError(`${command.name}: a buffer of ${length} bytes`);
    if (command.buffer !== undefined) this.#page.bytes.set(command.buffer, BUFFER_AT);
    const at = sq.next();
    sq.words.fill(0, at, at + 32);
    sq.words[at] = IORING_OP_URING_CMD;
    sq.words[at + 1] = this.#fd;
    sq.words[at + 2] = command.op | 0;
    const cmd = encode(ublksrv_ctrl_cmd, {
      dev_id: command.device >>> 0,
      queue_id: NO_QUEUE,
      len: length,
      addr: length === 0 ? 0n : this.#page.address + BigInt(BUFFER_AT),
      data: command.data ?? 0n,
      dev_path_len: command.devicePathLength ?? 0,
    });
    new Uint8Array(sq.words.buffer, sq.words.byteOffset + at * 4 + SQE_CMD_OFFSET, cmd.length).set(cmd);
    sq.publish();
  }

  /** Submits what is prepared and waits; false when there is no answer yet. */
  #answered(command: ControlCommand, timeoutMs: number): boolean {
    const timespec = { tv_sec: BigInt(Math.floor(timeoutMs / 1000)), tv_nsec: BigInt((timeoutMs % 1000) * 1_000_000) };
    this.#page.bytes.set(encode(kernel_timespec, timespec), TIMESPEC_AT);
    const ts = this.#page.address + BigInt(TIMESPEC_AT);
    const argument = encode(io_uring_getevents_arg, { ts });
    const { sq, cq, fd } = this.#ring;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const result = io_uring_enter(fd, sq.pending, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, argument);
      if (result > 0) sq.consumed(result);
      if (cq.ready() !== cq.head) return true;
      if (result === -ETIME || performance.now() >= deadline) return false;
      if (result < 0 && result !== -EINTR) throw enterError(command, -result);
    }
  }

  #result({ buffer }: ControlCommand): number {
    if (buffer !== undefined) buffer.set(this.#page.bytes.subarray(BUFFER_AT, buffer.length));
    const { cq } = this.#ring;
    const result = cq.words[cq.at(cq.head) + CQE_WORD_RES]!;
    cq.seen((cq.head + 1) | 0);
    return result;
  }
}

/**
 * Something else may lie over the node, as containers do: /dev/null takes every command, and succeeds at it.
 */
function requireControlDevice(fd: number): void {
  const { rdev } = fstatSync(fd);
  const numbers = `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
  if (numbers !== registeredNumbers()) throw openFailure(CONTROL_DEVICE, { code: 'ENODEV' });
}

/** `major:minor` as the driver has it; null when it is not loaded. */
function registeredNumbers(): string | null {
  try {
    return readFileSync('/sys/class/misc/ublk-control/dev', 'utf8').trim();
  } catch {
    return null;
  }
}

/** Opens the control device for as long as `use` runs. */
export function withControl<T>(use: (channel: ControlChannel) => T): T {
  const channel = new ControlChannel();
  try {
    return use(channel);
  } finally {
    channel.close();
  }
}

function timeoutError(command: ControlCommand, timeoutMs: number): UblkError {
  return new UblkError(`${command.name} of device ${command.device} did not answer within ${timeoutMs / 1000} s`, {
    code: 'TIMEOUT',
    command: command.name,
    device: command.device,
    hint: 'a process may hold the block device open or the server may be stuck: see `dmesg` and `ublkts list`',
  });
}

function enterError(command: ControlCommand, errno: number): UblkError {
  return new UblkError(`io_uring_enter for ${command.name}: ${errnoText(errno)}`, {
    code: errnoName(errno),
    command: command.name,
    device: command.device,
  });
}
