/** One control command, and how it is written into a submission entry of 128 bytes. */
import type { SubmissionQueue } from '../native/ring/submission-queue.ts';
import { encode } from '../native/uapi/codec.ts';
import { IORING_OP_URING_CMD } from '../native/uapi/io-uring-opcodes.ts';
import {
  SQE_CMD_OFFSET,
  SQE_WORD_CMD_OP,
  SQE_WORD_FD,
  SQE_WORD_OPCODE,
  SQE_WORD_USER_DATA_LO,
  SQE128_WORDS,
} from '../native/uapi/io-uring-words.ts';
import { ublksrv_ctrl_cmd } from '../native/uapi/ublk-structs.ts';

export const CONTROL_DEVICE = '/dev/ublk-control';

export interface ControlCommand {
  /** The kernel's name without `UBLK_U_CMD_`, for errors. */
  readonly name: string;
  readonly op: number;
  /** Device id; 0xffffffff (-1) asks ADD_DEV for any. */
  readonly device: number;
  /** Copied in before the command and out after it. */
  readonly buffer?: Uint8Array;
  readonly data?: bigint;
  /** The object of "waiting for": what the command waits for. */
  readonly waitsFor?: string;
}

export interface Placement {
  /** Descriptor of the control device. */
  readonly fd: number;
  /** Where the kernel finds the command's buffer. */
  readonly address: bigint;
  /** Comes back with the completion; 32 bits. */
  readonly userData: number;
  /** IOSQE_* */
  readonly flags: number;
}

const NO_QUEUE = 0xffff;

/** Fills the next entry of a queue whose entries have 128 bytes. */
export function prepareCommand(sq: SubmissionQueue, command: ControlCommand, placement: Placement): void {
  const { fd, address, userData, flags } = placement;
  const length = command.buffer?.length ?? 0;
  const at = sq.next();
  sq.words.fill(0, at, at + SQE128_WORDS);
  sq.words[at + SQE_WORD_OPCODE] = IORING_OP_URING_CMD | (flags << 8);
  sq.words[at + SQE_WORD_FD] = fd;
  sq.words[at + SQE_WORD_CMD_OP] = command.op | 0;
  sq.words[at + SQE_WORD_USER_DATA_LO] = userData;
  const cmd = encode(ublksrv_ctrl_cmd, {
    dev_id: command.device >>> 0,
    queue_id: NO_QUEUE,
    len: length,
    addr: length === 0 ? 0n : address,
    data: command.data ?? 0n,
    dev_path_len: 0,
  });
  new Uint8Array(sq.words.buffer, sq.words.byteOffset + at * 4 + SQE_CMD_OFFSET, cmd.length).set(cmd);
}
