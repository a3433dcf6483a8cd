/**
 * The submission queue of one ring, filled by one thread.
 *
 * Contract: `begin()` points the queue's one SubmissionEntry at a free entry, all zero, for the caller to fill. Entries
 * become the kernel's at the next `Ring.enter()`. `begin()` never blocks: the ring makes room first (`Ring.reserve`).
 *
 * Where the kernel has IORING_SETUP_SQ_REWIND (7.0), every submission starts at entry 0 and there is no tail to
 * publish: the same few cache lines are used again and again. On older kernels the tail runs through the whole ring.
 */
import { IOSQE_IO_HARDLINK, IOSQE_IO_LINK } from '../uapi/io-uring-sqe-flags.ts';
import { SubmissionEntry } from './submission-entry.ts';

/** In an entry's first word. */
const LINK = (IOSQE_IO_LINK | IOSQE_IO_HARDLINK) << 8;

export class SubmissionQueue {
  readonly entries: number;
  readonly words: Int32Array;
  /** Filled and not yet submitted. */
  pending = 0;
  private readonly entry: SubmissionEntry;
  private readonly pairs: Float64Array;
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
    this.pairs = new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
    this.entry = new SubmissionEntry(words);
    this.entries = entries;
    this.shift = shift;
    this.mask = entries - 1;
    this.rewind = rewind;
    this.ring = ring;
    this.tailWord = tailWord;
  }

  /** A free entry, all zero. There is only this one: it must be filled before the next one begins. */
  begin(): SubmissionEntry {
    this.entry.begin(this.next(), this.pairs);
    return this.entry;
  }

  /** The word index of a free entry, whose words hold whatever was there before. */
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
}
