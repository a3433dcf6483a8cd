/**
 * The submission queue of one ring, filled by one thread.
 *
 * Contract: `next()` hands out the word index of a free SQE whose 16 words hold whatever was there before: the caller
 * writes all of them. Entries become the kernel's at the next `Ring.enter()`; `next()` never blocks, the ring makes
 * room first (`Ring.reserve`).
 *
 * `| 0` at every store: it tells the JIT that the word is an int32, which is one check; without it a store converts by
 * way of a double, 18 instructions each (counted in the code that V8 makes).
 *
 * Where the kernel has IORING_SETUP_SQ_REWIND (7.0), every submission starts at entry 0 and there is no tail to
 * publish: the same few cache lines are used again and again. On older kernels the tail runs through the whole ring.
 */
import { IORING_OP_URING_CMD } from '../uapi/io-uring-opcodes.ts';
import { IOSQE_IO_HARDLINK, IOSQE_IO_LINK } from '../uapi/io-uring-sqe-flags.ts';

/** In an entry's first word. */
const LINK = (IOSQE_IO_LINK | IOSQE_IO_HARDLINK) << 8;

export class SubmissionQueue {
  readonly entries: number;
  readonly words: Int32Array;
  /** Filled and not yet submitted. */
  pending = 0;
  private readonly rewind: boolean;
  private readonly shift: number;
  private readonly mask: number;
  private readonly ring: Int32Array;
  private readonly tailWord: number;
  /** Index of the first pending entry, before masking. */
  private first = 0;

  /** `words`: all entries, each `1 << shift` words; `ring`: the ring's own words, of which `tailWord` is the tail. */
  constructor(words: Int32Array, entries: number, shift: number, rewind: boolean, ring: Int32Array, tailWord: number) {
    this.words = words;
    this.entries = entries;
    this.shift = shift;
    this.mask = entries - 1;
    this.rewind = rewind;
    this.ring = ring;
    this.tailWord = tailWord;
  }

  next(): number {
    const entry = (this.first + this.pending) & this.mask;
    this.pending++;
    return entry << this.shift;
  }

  /** Read by the kernel inside this thread's own io_uring_enter: a plain store will do (completion-queue.ts). */
  publish(): void {
    if (!this.rewind) this.ring[this.tailWord] = this.first + this.pending;
  }

  /** The kernel took every pending entry, as it nearly always does. */
  allTaken(): void {
    if (!this.rewind) this.first = (this.first + this.pending) | 0;
    this.pending = 0;
  }

  /** The kernel took the first `count` pending entries. */
  consumed(count: number): void {
    this.pending -= count;
    if (!this.rewind) this.first = (this.first + count) | 0;
    else if (this.pending > 0) {
      // The kernel starts at 0 again: what it has not taken must be there.
      this.words.copyWithin(0, count << this.shift, (count + this.pending) << this.shift);
    }
  }

  /** Whether the entry after the pending one at `position` is its sequel (IOSQE_IO_LINK). */
  linkedAt(position: number): boolean {
    const entry = (this.first + position) & this.mask;
    return (this.words[entry << this.shift]! & LINK) !== 0;
  }

  /** Read, write, fsync, fallocate ...: everything that is not a driver's own command. `opcode` carries IOSQE_* << 8. */
  prepare(
    opcode: number,
    fd: number,
    offLo: number,
    offHi: number,
    addrLo: number,
    addrHi: number,
    len: number,
    opFlags: number,
    bufIndex: number,
    userLo: number,
    userHi: number,
  ): void {
    const at = this.next();
    const words = this.words;
    words[at] = opcode | 0;
    words[at + 1] = fd | 0;
    words[at + 2] = offLo | 0;
    words[at + 3] = offHi | 0;
    words[at + 4] = addrLo | 0;
    words[at + 5] = addrHi | 0;
    words[at + 6] = len | 0;
    words[at + 7] = opFlags | 0;
    words[at + 8] = userLo | 0;
    words[at + 9] = userHi | 0;
    words[at + 10] = bufIndex | 0;
    words[at + 11] = 0;
    words[at + 12] = 0;
    words[at + 13] = 0;
    words[at + 14] = 0;
    words[at + 15] = 0;
  }

  /**
   * IORING_OP_URING_CMD with its 16 command bytes. `flags` are IOSQE_* << 8; `addrLo` and `len` are the SQE's own;
   * `opFlags` carries uring_cmd_flags and `bufIndex` the buffer group of a multishot command.
   */
  command(
    flags: number,
    fd: number,
    cmdOp: number,
    addrLo: number,
    addrHi: number,
    len: number,
    opFlags: number,
    bufIndex: number,
    userLo: number,
    userHi: number,
    cmd0: number,
    cmd1: number,
    cmd2: number,
    cmd3: number,
  ): void {
    const at = this.next();
    const words = this.words;
    words[at] = IORING_OP_URING_CMD | flags;
    words[at + 1] = fd | 0;
    words[at + 2] = cmdOp | 0;
    words[at + 3] = 0;
    words[at + 4] = addrLo | 0;
    words[at + 5] = addrHi | 0;
    words[at + 6] = len | 0;
    words[at + 7] = opFlags | 0;
    words[at + 8] = userLo | 0;
    words[at + 9] = userHi | 0;
    words[at + 10] = bufIndex | 0;
    words[at + 11] = 0;
    words[at + 12] = cmd0 | 0;
    words[at + 13] = cmd1 | 0;
    words[at + 14] = cmd2 | 0;
    words[at + 15] = cmd3 | 0;
  }
}
