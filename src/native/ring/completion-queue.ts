/**
 * The completion queue of one ring, read by one thread.
 *
 * Contract: after io_uring_enter, walk `at(head)` from `head` up to `ready()`, then call `seen()` once. The entries
 * then belong to the kernel again and must not be read any more.
 *
 * The ring is read and written with plain loads and stores instead of Atomics, which are calls of 60 instructions each.
 * That is safe because the ring has one issuer, and the kernel posts completions and reads the head only inside this
 * thread's own io_uring_enter (IORING_SETUP_DEFER_TASKRUN; a ring without it has waited there for what it reads). So no
 * other CPU is involved, and the JIT does not move a load across the call.
 */
import { CQE_WORDS } from '../uapi/io-uring-words.ts';

export class CompletionQueue {
  readonly words: Int32Array;
  /** The position of the first entry that has not been given back to the kernel. */
  head: number;
  private readonly mask: number;
  private readonly ring: Int32Array;
  private readonly headWord: number;
  private readonly tailWord: number;
  private readonly base: number;

  /** `words` is the whole mapping of the ring, and `base` the word index of entry 0. */
  constructor(words: Int32Array, base: number, entries: number, headWord: number, tailWord: number) {
    this.words = words;
    this.ring = words;
    this.base = base;
    this.mask = entries - 1;
    this.headWord = headWord;
    this.tailWord = tailWord;
    this.head = words[headWord]!;
  }

  /** The tail of the queue: `ready() - head` entries (mod 2^32) can be read. */
  ready(): number {
    return this.ring[this.tailWord]!;
  }

  /** The word index of entry `head`; CQE_WORD_* are positions relative to it. */
  at(head: number): number {
    return this.base + (head & this.mask) * CQE_WORDS;
  }

  seen(head: number): void {
    this.head = head;
    this.ring[this.headWord] = head;
  }
}
