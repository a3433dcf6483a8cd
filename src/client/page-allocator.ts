/** Allocates pages of a region: first fit, and neighbouring free spans are joined. Pure. */
import { roundUp } from '../native/memory.ts';

interface Span {
  at: number;
  length: number;
}

export class PageAllocator {
  readonly #pageBytes: number;
  /** The free spans, in ascending order. No two of them adjoin. */
  readonly #free: Span[];
  readonly #taken = new Map<number, number>();

  constructor(length: number, pageBytes: number) {
    this.#pageBytes = pageBytes;
    this.#free = [{ at: 0, length }];
  }

  /** Takes the first span that has room for `bytes`. Returns its start, or -1 when there is none. */
  take(bytes: number): number {
    const length = roundUp(Math.max(bytes, 1), this.#pageBytes);
    const index = this.#free.findIndex((span) => span.length >= length);
    const span = this.#free[index];
    if (span === undefined) return -1;
    const { at } = span;
    if (span.length === length) this.#free.splice(index, 1);
    else this.#free[index] = { at: at + length, length: span.length - length };
    this.#taken.set(at, length);
    return at;
  }

  /** Frees what begins at `at`. Returns false when nothing that was taken begins there. */
  give(at: number): boolean {
    const length = this.#taken.get(at);
    if (length === undefined) return false;
    this.#taken.delete(at);
    const found = this.#free.findIndex((span) => span.at > at);
    const index = found < 0 ? this.#free.length : found;
    this.#free.splice(index, 0, { at, length });
    this.#join(index);
    if (index > 0) this.#join(index - 1);
    return true;
  }

  #join(index: number): void {
    const span = this.#free[index]!;
    const next = this.#free[index + 1];
    if (next === undefined || span.at + span.length !== next.at) return;
    span.length += next.length;
    this.#free.splice(index + 1, 1);
  }
}
