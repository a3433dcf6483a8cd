/**
 * The submission queue of one ring, filled by one thread.
 *
 * Contract: `begin` points the queue's one SubmissionEntry at a free entry, for the caller to fill. Entries belong to the
 * kernel from the next `Ring.enter` on. `begin` never blocks, because the ring makes room first (`Ring.reserve`).
 *
 * Where the kernel has IORING_SETUP_SQ_REWIND (7.0), every submission starts at entry 0 and there is no tail to
 * publish, so the same few cache lines are used again and again. On older kernels the tail runs through the whole ring.
 */
import { IOSQE_IO_HARDLINK, IOSQE_IO_LINK } from '../uapi/io-uring-sqe-flags.ts';
import { SubmissionEntry } from './submission-entry.ts';

/** The flags in the first word of an entry that link it to the next entry. */
const LINK = (IOSQE_IO_LINK | IOSQE_IO_HARDLINK) << 8;

export class SubmissionQueue {
  readonly entries: number;
  readonly words: Int32Array;
  /** The number of entries that are filled and not yet submitted. */
  pending = 0;
  /**
   * The entry that was begun last. `begin` does not return it: the JIT knows a field that never changes as a constant,
   * and with it the address of the words behind it (docs/decisions/0011).
   */
  readonly entry: SubmissionEntry;
  private readonly rewind: boolean;
  private readonly shift: number;
  private readonly mask: number;
  private readonly ring: Int32Array;
  private readonly tailWord: number;
  /** The position of the first pending entry, before masking. */
  private first = 0;

  /**
   * `words` are all entries, each of `1 << shift` words. `ring` are the ring's own words, of which `tailWord` is the
   * tail.
   */
  constructor(words: Int32Array, entries: number, shift: number, rewind: boolean, ring: Int32Array, tailWord: number) {
    this.words = words;
    this.entry = new SubmissionEntry(words);
    this.entries = entries;
    this.shift = shift;
    this.mask = entries - 1;
    this.rewind = rewind;
    this.ring = ring;
    this.tailWord = tailWord;
  }

  /**
   * Takes a free entry, which is then `entry`. Fill it before the next call. `opcode` has IORING_OP_* in bits 0-7 and
   * IOSQE_* flags in bits 8-15. `userData` is the low word of user_data, whose high word stays 0.
   */
  begin(opcode: number, fd: number, userData: number): void {
    this.entry.begin(this.next(), opcode, fd, userData);
  }

  /** Takes a free entry and returns its word index. Its words still hold an older entry. */
  next(): number {
    const entry = (this.first + this.pending) & this.mask;
    this.pending++;
    return entry << this.shift;
  }

  /**
   * Publishes the tail. The kernel reads it inside this thread's own io_uring_enter, so a plain store is enough
   * (completion-queue.ts).
   */
  publish(): void {
    if (!this.rewind) this.ring[this.tailWord] = this.first + this.pending;
  }

  /** Notes that the kernel took every pending entry, as it nearly always does. */
  allTaken(): void {
    if (!this.rewind) this.first = (this.first + this.pending) | 0;
    this.pending = 0;
  }

  /** Notes that the kernel took the first `count` pending entries. */
  consumed(count: number): void {
    this.pending -= count;
    if (!this.rewind) this.first = (this.first + count) | 0;
    else if (this.pending > 0) {
      // The next submission starts at entry 0 again, so the other entries are moved there.
      this.words.copyWithin(0, count << this.shift, (count + this.pending) << this.shift);
    }
  }

  /** Whether the pending entry at `position` is linked to the one after it (IOSQE_IO_LINK). */
  linkedAt(position: number): boolean {
    const entry = (this.first + position) & this.mask;
    return (this.words[entry << this.shift]! & LINK) !== 0;
  }
}
