/**
 * The completion queue of one ring, read by one thread.
 *
 * Contract: `ready()` is an acquire load, so the entries before it are whole. Walk `at(head)` from `head` up to it, then
 * `seen()` once: the release store gives the entries back to the kernel, and they must not be read again.
 */
import { CQE_WORDS } from '../uapi/io-uring-words.ts';

export class CompletionQueue {
  readonly words: Int32Array;
  /** Of the next entry that has not been given back. */
  head: number;
  readonly #mask: number;
  readonly #ring: Int32Array;
  readonly #headWord: number;
  readonly #tailWord: number;
  readonly #base: number;

  /** `words`: the whole ring mapping; `base`: word index of entry 0. */
  constructor(words: Int32Array, base: number, entries: number, headWord: number, tailWord: number) {
    this.words = words;
    this.#ring = words;
    this.#base = base;
    this.#mask = entries - 1;
    this.#headWord = headWord;
    this.#tailWord = tailWord;
    this.head = Atomics.load(words, headWord);
  }

  /** The tail: as many entries as `ready() - head` (mod 2^32) wait. */
  ready(): number {
    return Atomics.load(this.#ring, this.#tailWord);
  }

  /** Word index of entry `head`, see CQE_WORD_*. */
  at(head: number): number {
    return this.#base + (head & this.#mask) * CQE_WORDS;
  }

  seen(head: number): void {
    this.head = head;
    Atomics.store(this.#ring, this.#headWord, head);
  }
}
