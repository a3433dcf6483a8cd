/** Makes a ring (io_uring_setup(2)) and maps its queues. */
import { closeDescriptor, io_uring_setup } from '../libc/calls.ts';
import { type MappedMemory, mapFile } from '../memory.ts';
import { decode, encode } from '../uapi/codec.ts';
import {
  IORING_OFF_SQ_RING,
  IORING_OFF_SQES,
  IORING_SETUP_CQSIZE,
  IORING_SETUP_NO_SQARRAY,
  IORING_SETUP_SQ_REWIND,
  IORING_SETUP_SQE128,
} from '../uapi/io-uring-setup.ts';
import { io_uring_params } from '../uapi/io-uring-structs.ts';
import { CQE_WORDS, SQE128_WORDS, SQE_WORDS } from '../uapi/io-uring-words.ts';
import { ringSetupFailure } from './setup-failure.ts';
import { CompletionQueue } from './completion-queue.ts';
import { SubmissionQueue } from './submission-queue.ts';
import { ERRNO } from '../uapi/errno.ts';

export interface RingParts {
  readonly fd: number;
  /** IORING_FEAT_* */
  readonly features: number;
  readonly sq: SubmissionQueue;
  readonly cq: CompletionQueue;
  readonly sqes: MappedMemory;
  readonly ring: MappedMemory;
  /** Word index of the completion queue's IORING_CQ_* flags in `ring`. */
  readonly cqFlagsWord: number;
  /** Word index of the submission queue's IORING_SQ_* flags in `ring`. */
  readonly sqFlagsWord: number;
}

export interface RingOptions {
  readonly sqEntries: number;
  readonly cqEntries: number;
  /** IORING_SETUP_* in addition to those that every ring gets. */
  readonly flags: number;
}

const { EINVAL } = ERRNO;

/** Asks for the features of the newest kernels, and then for fewer of them if this kernel refuses. */
export function setUpRing(options: RingOptions): RingParts {
  const wanted = options.flags | IORING_SETUP_CQSIZE;
  const attempts = [
    wanted | IORING_SETUP_NO_SQARRAY | IORING_SETUP_SQ_REWIND, // 7.0
    wanted | IORING_SETUP_NO_SQARRAY, // 6.6
    wanted,
  ];
  for (const flags of attempts) {
    const params = encode(io_uring_params, { cq_entries: options.cqEntries, flags });
    const fd = io_uring_setup(options.sqEntries, params);
    if (fd >= 0) return mapRing(fd, flags, params);
    if (fd !== -EINVAL) throw ringSetupFailure(-fd);
  }
  throw ringSetupFailure(EINVAL);
}

function mapRing(fd: number, flags: number, bytes: Uint8Array): RingParts {
  const params = decode(io_uring_params, bytes);
  const sqeWords = flags & IORING_SETUP_SQE128 ? SQE128_WORDS : SQE_WORDS;
  const shift = Math.log2(sqeWords);
  const mapped: MappedMemory[] = [];
  const map = (length: number, what: string, offset: number): MappedMemory => {
    const memory = mapFile(fd, length, what, { offset: BigInt(offset), populate: true });
    mapped.push(memory);
    return memory;
  };
  try {
    // Since Linux 5.4 one mapping holds both queues (IORING_FEAT_SINGLE_MMAP).
    const cqEnd = params.cq_off.cqes + params.cq_entries * CQE_WORDS * 4;
    const sqEnd = params.sq_off.array + params.sq_entries * 4;
    const ring = map(Math.max(cqEnd, sqEnd), 'of an io_uring', IORING_OFF_SQ_RING);
    const sqes = map(params.sq_entries * sqeWords * 4, 'of io_uring SQEs', IORING_OFF_SQES);
    const words = ring.words();
    if (!(flags & IORING_SETUP_NO_SQARRAY)) {
      // Before Linux 6.6 an array maps positions in the queue to entries. Each position gets its own entry once and for all.
      for (let i = 0; i < params.sq_entries; i++) words[params.sq_off.array / 4 + i] = i;
    }
    const rewind = (flags & IORING_SETUP_SQ_REWIND) !== 0;
    const sq = new SubmissionQueue(sqes.words(), params.sq_entries, shift, rewind, words, params.sq_off.tail / 4);
    const { cq_off, sq_off } = params;
    const cq = new CompletionQueue(words, cq_off.cqes / 4, params.cq_entries, cq_off.head / 4, cq_off.tail / 4);
    return {
      fd,
      features: params.features,
      sq,
      cq,
      sqes,
      ring,
      cqFlagsWord: cq_off.flags / 4,
      sqFlagsWord: sq_off.flags / 4,
    };
  } catch (error) {
    // A mapping keeps the ring as its descriptor does.
    for (const memory of mapped) memory.unmap();
    closeDescriptor(fd);
    throw error;
  }
}
