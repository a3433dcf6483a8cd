/**
 * Records which bytes of each read have come, by slot. A server may send them in pieces and in any order. Pieces that
 * touch are kept as one range. Hot path: nothing here allocates.
 */

/** Ranges of a read that do not touch each other. Servers send the pieces in ascending order, which makes one range. */
const MOST_RANGES = 16;

export class Coverage {
  private readonly ranges: Uint8Array;
  /** Where each range begins and ends, MOST_RANGES of each per slot. */
  private readonly begins: Int32Array;
  private readonly ends: Int32Array;

  constructor(slots: number) {
    this.ranges = new Uint8Array(slots);
    this.begins = new Int32Array(slots * MOST_RANGES);
    this.ends = new Int32Array(slots * MOST_RANGES);
  }

  /** Nothing of the read has come. */
  clear(slot: number): void {
    this.ranges[slot] = 0;
  }

  clearAll(): void {
    this.ranges.fill(0);
  }

  /**
   * Notes that the bytes from `begin` to `end` of the read have come. Returns false when some of them had come before,
   * or when there are too many ranges. The server cannot be trusted then, and the record of this read is no longer
   * valid.
   */
  add(slot: number, begin: number, end: number): boolean {
    const { begins, ends } = this;
    const first = slot * MOST_RANGES;
    let last = first + this.ranges[slot]!;
    let from = begin;
    let to = end;
    for (let at = first; at < last; ) {
      const rangeBegin = begins[at]!;
      const rangeEnd = ends[at]!;
      if (rangeBegin < end && begin < rangeEnd) return false;
      if (rangeEnd !== begin && rangeBegin !== end) {
        at++;
        continue;
      }
      from = Math.min(from, rangeBegin);
      to = Math.max(to, rangeEnd);
      last--;
      begins[at] = begins[last]!;
      ends[at] = ends[last]!;
    }
    if (last === first + MOST_RANGES) return false;
    begins[last] = from;
    ends[last] = to;
    this.ranges[slot] = last + 1 - first;
    return true;
  }

  /** Whether all of the first `bytes` bytes have come. */
  isWhole(slot: number, bytes: number): boolean {
    const first = slot * MOST_RANGES;
    return bytes === 0 || (this.ranges[slot] === 1 && this.begins[first] === 0 && this.ends[first] === bytes);
  }
}
