/**
 * The completion queue of one ring, read by one thread.
 *
 * Contract: after io_uring_enter, walk `at(head)` from `head` up to `ready()`, then `seen()` once: the entries are the
 * kernel's again and must not be read any more.
 *
 * Plain loads and stores, no Atomics: the ring has one issuer, and the kernel posts and looks at the head only inside
 * this thread's own io_uring_enter (IORING_SETUP_DEFER_TASKRUN; a ring without it has waited there for what it reads).
 * There is no other CPU to order against, and the call keeps the JIT from moving a load across it. Atomics.load and
 * .store are calls of 60 instructions each.
 */
import { CQE_WORDS } from '../uapi/io-uring-words.ts';

export class CompletionQueue {
  readonly words: Int32Array;
  /** The position of the next entry that has not been given back. */
  head: number;
  private readonly mask: number;
  private readonly ring: Int32Array;
  private readonly headWord: number;
  private readonly tailWord: number;
  private readonly base: number;

  /** `words`: the whole ring mapping; `base`: word index of entry 0. */
  constructor(words: Int32Array, base: number, entries: number, headWord: number, tailWord: number) {
    this.words = words;
    this.ring = words;
    this.base = base;
    this.mask = entries - 1;
    this.headWord = headWord;
    this.tailWord = tailWord;
    this.head = words[headWord]!;
  }

  /** The tail: as many entries as `ready() - head` (mod 2^32) wait. */
  ready(): number {
    return this.ring[this.tailWord]!;
  }

  /** Word index of entry `head`, see CQE_WORD_*. */
  at(head: number): number {
    return this.base + (head & this.mask) * CQE_WORDS;
  }

  seen(head: number): void {
    this.head = head;
    this.ring[this.headWord] = head;
  }
}
