/**
 * Ranges of whole numbers that are given out and come back: the slots of a shared thread, the pages of its descriptors,
 * the places in the tables of its ring.
 */
interface Range {
  readonly first: number;
  readonly count: number;
}

export class Ranges {
  /** The free ranges in order; no two of them touch. */
  #free: readonly Range[];
  #left: number;

  /** The numbers from 0 to `size` - 1. */
  constructor(size: number) {
    this.#free = size === 0 ? [] : [{ first: 0, count: size }];
    this.#left = size;
  }

  /** How many numbers are free. */
  get left(): number {
    return this.#left;
  }

  /** The first number of the lowest range of `count`; null when there is none. */
  take(count: number): number | null {
    const at = this.#free.findIndex((range) => range.count >= count);
    const range = this.#free[at];
    if (range === undefined) return null;
    const rest = { first: range.first + count, count: range.count - count };
    this.#free = this.#free.toSpliced(at, 1, ...(rest.count === 0 ? [] : [rest]));
    this.#left -= count;
    return range.first;
  }

  /** Gives back what `take` has returned. */
  give(first: number, count: number): void {
    const next = this.#free.findIndex((range) => range.first > first);
    const at = next === -1 ? this.#free.length : next;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const joinsBefore = before !== undefined && before.first + before.count === first;
    const joinsAfter = after !== undefined && first + count === after.first;
    const joined: Range = {
      first: joinsBefore ? before.first : first,
      count: count + (joinsBefore ? before.count : 0) + (joinsAfter ? after.count : 0),
    };
    this.#free = this.#free.toSpliced(at - (joinsBefore ? 1 : 0), Number(joinsBefore) + Number(joinsAfter), joined);
    this.#left += count;
  }
}
