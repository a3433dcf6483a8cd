/**
 * Records which bytes of each read have come, by slot. A server may send them in pieces and in any order. Pieces that
 * touch are kept as one range. Hot path: nothing here allocates, except for a server that sends a read in many pieces out
 * of order.
 */

/**
 * Ranges of a read that do not touch each other. Servers send the pieces in ascending order, which makes one range. Each slot
 * begins with room for FIRST_RANGES, and gets more for a server that sends them in another order.
 */
const FIRST_RANGES = 16;
const MOST_RANGES = 4096;
/** The most ranges that all slots together may have room for. */
const MOST_IN_ALL = 2 ** 20;

export class Coverage {
  private readonly slots: number;
  private readonly ranges: Uint16Array;
  /** Where each range begins and ends, `room` of each per slot. */
  private begins: Int32Array;
  private ends: Int32Array;
  private room = FIRST_RANGES;

  constructor(slots: number) {
    this.slots = slots;
    this.ranges = new Uint16Array(slots);
    this.begins = new Int32Array(slots * FIRST_RANGES);
    this.ends = new Int32Array(slots * FIRST_RANGES);
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
    const first = slot * this.room;
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
    const count = last - first;
    if (count === this.room && !this.makeRoom()) return false;
    const at = slot * this.room + count;
    this.begins[at] = from;
    this.ends[at] = to;
    this.ranges[slot] = count + 1;
    return true;
  }

  /** Whether all of the first `bytes` bytes have come. */
  isWhole(slot: number, bytes: number): boolean {
    const first = slot * this.room;
    return bytes === 0 || (this.ranges[slot] === 1 && this.begins[first] === 0 && this.ends[first] === bytes);
  }

  /** Makes room for twice as many ranges of each read. Returns false when there would be too many. */
  private makeRoom(): boolean {
    const { slots, begins, ends, room } = this;
    if (room * 2 > MOST_RANGES || room * 2 * slots > MOST_IN_ALL) return false;
    this.room = room * 2;
    this.begins = spread(begins, room);
    this.ends = spread(ends, room);
    return true;
  }
}

/** The same values with twice the room behind each `room` of them. */
function spread(values: Int32Array, room: number): Int32Array {
  const wide = new Int32Array(values.length * 2);
  for (let at = 0; at < values.length; at += room) wide.set(values.subarray(at, at + room), at * 2);
  return wide;
}
