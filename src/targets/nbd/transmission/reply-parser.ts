/**
 * The replies of one connection, as a state machine over the bytes that have come into its staging buffer. It reads
 * simple and structured replies, hands out data, and says which request has ended. Hot path: it allocates nothing.
 *
 * Contract
 * - The owner receives into the staging buffer at `end`, at most `room` bytes, then calls `parse` with their number. Or,
 *   while `left` is above 0 and the staging buffer is empty, it receives up to `left` bytes into the data of the request
 *   `slot` from byte `at` on, and then calls `placed` with their number.
 * - Nothing that a server sends makes this class name a slot that waits for no reply, or a piece of data that is not
 *   within its request. `parse` returns false when the server does not follow the protocol, and `problem` says how. The
 *   connection cannot be used then.
 */
import { Coverage } from './coverage.ts';
import {
  NBD_REPLY_FLAG_DONE,
  NBD_REPLY_TYPE_ERROR_BIT,
  NBD_REPLY_TYPE_NONE,
  NBD_REPLY_TYPE_OFFSET_DATA,
  NBD_REPLY_TYPE_OFFSET_HOLE,
  NBD_SIMPLE_REPLY_BYTES,
  NBD_SIMPLE_REPLY_MAGIC,
  NBD_STRUCTURED_REPLY_BYTES,
  NBD_STRUCTURED_REPLY_MAGIC,
} from '../protocol/numbers.ts';

/** The magic numbers as a DataView's getInt32 returns them. */
const SIMPLE = NBD_SIMPLE_REPLY_MAGIC | 0;
const STRUCTURED = NBD_STRUCTURED_REPLY_MAGIC | 0;

const DATA_HEAD_BYTES = 8;
const HOLE_BYTES = 12;
const ERROR_HEAD_BYTES = 6;
/** The longest payload of an error: its numbers, a string, and an offset. */
const MAX_ERROR_BYTES = ERROR_HEAD_BYTES + 4096 + 8;
const TWICE = 'it sends a part of a read twice, or too many parts that do not follow each other';
/** For an error chunk whose number is 0, which the protocol does not allow. */
const NBD_EIO = 5;

/** The object that has sent the requests. */
export interface ReplySink {
  /** The slot of the request that waits for a reply with this cookie; -1: none does. */
  slotOf(cookieLo: number, cookieHi: number): number;
  /** Bytes of the read of `slot`; 0 for any other command. */
  bytesOf(slot: number): number;
  /** The offset of the read of `slot` in the export. */
  offsetLoOf(slot: number): number;
  offsetHiOf(slot: number): number;
  /** `length` bytes of the staging buffer, from `from` on, are the data of `slot` from byte `at` on. */
  copy(slot: number, at: number, from: number, length: number): void;
  /** `length` bytes of the data of `slot`, from byte `at` on, are zero. */
  zero(slot: number, at: number, length: number): void;
  /** The request is done: with all its data, or with an error number of the protocol. It waits for no reply any more. */
  finish(slot: number, error: number): void;
}

export class ReplyParser {
  /** The slot whose data comes next, the position in it, and how many bytes are still to come; 0: a header comes next. */
  slot = 0;
  at = 0;
  left = 0;
  /** The first byte of the staging buffer that nothing has come into yet. */
  end = 0;
  /** How the server has broken the protocol. */
  problem = '';

  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly capacity: number;
  /** The server answers reads with structured replies only. */
  private structured: boolean;
  private readonly sink: ReplySink;
  /** What has come of reads in structured replies. */
  private readonly come: Coverage;
  /** The first error number of a request, by slot. */
  private readonly error: Int32Array;
  /** The first byte that has not been parsed. */
  private begin = 0;
  /** Whether the request is done as soon as `left` is 0. */
  private isLast = false;
  /** Bytes that are still to come of a payload that is ignored. */
  private skip = 0;

  /** `staging` is the staging buffer. `structured`: the server has agreed to structured replies. */
  constructor(staging: Uint8Array, slots: number, structured: boolean, sink: ReplySink) {
    this.view = new DataView(staging.buffer, staging.byteOffset, staging.byteLength);
    this.bytes = staging;
    this.capacity = staging.length;
    this.structured = structured;
    this.sink = sink;
    this.come = new Coverage(slots);
    this.error = new Int32Array(slots);
  }

  /** Bytes that can come into the staging buffer at `end`. */
  get room(): number {
    return this.capacity - this.end;
  }

  /** Bytes of the next header that have not come: with them the parser knows whether data follows. */
  get missing(): number {
    const size = this.structured ? NBD_STRUCTURED_REPLY_BYTES + DATA_HEAD_BYTES : NBD_SIMPLE_REPLY_BYTES;
    return Math.max(1, size - (this.end - this.begin));
  }

  /** Begins a new connection: nothing has come. */
  reset(structured: boolean): void {
    this.structured = structured;
    this.begin = 0;
    this.end = 0;
    this.left = 0;
    this.skip = 0;
    this.isLast = false;
    this.problem = '';
    this.come.clearAll();
    this.error.fill(0);
  }

  /** `length` bytes were received directly into the data of `slot`. */
  placed(length: number): void {
    this.at += length;
    this.left -= length;
    if (this.left === 0 && this.isLast) this.finish(this.slot);
  }

  /** `length` bytes have come into the staging buffer. */
  parse(length: number): boolean {
    this.end += length;
    while (this.step()) {
      // Each step is one piece: a header, or data.
    }
    if (this.begin === this.end) {
      this.begin = 0;
      this.end = 0;
    } else if (this.begin > 0) {
      // What remains is part of a header.
      this.bytes.copyWithin(0, this.begin, this.end);
      this.end -= this.begin;
      this.begin = 0;
    }
    return this.problem === '';
  }

  /** Parses one piece. false: more has to come, or the server has broken the protocol. */
  private step(): boolean {
    if (this.left > 0) return this.data();
    if (this.skip > 0) return this.skipped();
    if (this.end - this.begin < NBD_SIMPLE_REPLY_BYTES) return false;
    const magic = this.view.getInt32(this.begin);
    if (magic === SIMPLE) return this.simple();
    if (magic === STRUCTURED) return this.chunk();
    return this.broken('a reply begins with a wrong magic number');
  }

  private data(): boolean {
    const length = Math.min(this.left, this.end - this.begin);
    if (length === 0) return false;
    this.sink.copy(this.slot, this.at, this.begin, length);
    this.begin += length;
    this.at += length;
    this.left -= length;
    if (this.left > 0) return false;
    if (this.isLast) this.finish(this.slot);
    return true;
  }

  private skipped(): boolean {
    const length = Math.min(this.skip, this.end - this.begin);
    this.begin += length;
    this.skip -= length;
    return this.skip === 0;
  }

  private simple(): boolean {
    const { view, begin } = this;
    const error = view.getInt32(begin + 4);
    const slot = this.sink.slotOf(view.getInt32(begin + 12), view.getInt32(begin + 8));
    if (slot < 0) return this.broken('it answers a request that is not waiting for a reply');
    this.begin = begin + NBD_SIMPLE_REPLY_BYTES;
    const bytes = this.sink.bytesOf(slot);
    if (error !== 0 || bytes === 0) {
      this.error[slot] = error;
      this.finish(slot);
      return true;
    }
    if (this.structured)
      return this.broken('it answers a read with a simple reply after it has agreed to structured ones');
    this.expect(slot, 0, bytes, true);
    return true;
  }

  private chunk(): boolean {
    const { view, begin } = this;
    if (!this.structured) return this.broken('it sends a structured reply although none were agreed on');
    if (this.end - begin < NBD_STRUCTURED_REPLY_BYTES) return false;
    const isLast = (view.getInt16(begin + 4) & NBD_REPLY_FLAG_DONE) !== 0;
    const type = view.getUint16(begin + 6);
    const slot = this.sink.slotOf(view.getInt32(begin + 12), view.getInt32(begin + 8));
    const length = view.getUint32(begin + 16);
    if (slot < 0) return this.broken('it answers a request that is not waiting for a reply');
    switch (type) {
      case NBD_REPLY_TYPE_NONE:
        return this.none(slot, length, isLast);
      case NBD_REPLY_TYPE_OFFSET_DATA:
        return this.offsetData(slot, length, isLast);
      case NBD_REPLY_TYPE_OFFSET_HOLE:
        return this.offsetHole(slot, length, isLast);
      default:
        if ((type & NBD_REPLY_TYPE_ERROR_BIT) !== 0) return this.errorChunk(slot, length, isLast);
        return this.broken('it sends a chunk of an unknown type');
    }
  }

  private none(slot: number, length: number, isLast: boolean): boolean {
    if (length !== 0 || !isLast)
      return this.broken('it sends a chunk of the type NONE that has data, or that is not the last one');
    this.begin += NBD_STRUCTURED_REPLY_BYTES;
    this.finish(slot);
    return true;
  }

  private offsetData(slot: number, length: number, isLast: boolean): boolean {
    const head = NBD_STRUCTURED_REPLY_BYTES + DATA_HEAD_BYTES;
    if (length <= DATA_HEAD_BYTES) return this.broken('it sends a chunk of data without data');
    if (this.end - this.begin < head) return false;
    const bytes = length - DATA_HEAD_BYTES;
    const at = this.positionOf(slot, bytes);
    if (at < 0) return this.broken('it sends data that is not within what was read');
    if (!this.come.add(slot, at, at + bytes)) return this.broken(TWICE);
    this.begin += head;
    this.expect(slot, at, bytes, isLast);
    return true;
  }

  private offsetHole(slot: number, length: number, isLast: boolean): boolean {
    const all = NBD_STRUCTURED_REPLY_BYTES + HOLE_BYTES;
    if (length !== HOLE_BYTES) return this.broken('it sends a hole with a wrong length');
    if (this.end - this.begin < all) return false;
    const bytes = this.view.getUint32(this.begin + NBD_STRUCTURED_REPLY_BYTES + 8);
    const at = bytes === 0 ? -1 : this.positionOf(slot, bytes);
    if (at < 0) return this.broken('it sends a hole that is not within what was read');
    if (!this.come.add(slot, at, at + bytes)) return this.broken(TWICE);
    this.begin += all;
    this.sink.zero(slot, at, bytes);
    if (isLast) this.finish(slot);
    return true;
  }

  private errorChunk(slot: number, length: number, isLast: boolean): boolean {
    if (length < ERROR_HEAD_BYTES || length > MAX_ERROR_BYTES)
      return this.broken('it sends an error with a wrong length');
    if (this.end - this.begin < NBD_STRUCTURED_REPLY_BYTES + 4) return false;
    const error = this.view.getInt32(this.begin + NBD_STRUCTURED_REPLY_BYTES);
    if (this.error[slot] === 0) this.error[slot] = error === 0 ? NBD_EIO : error;
    this.begin += NBD_STRUCTURED_REPLY_BYTES + 4;
    this.skip = length - 4;
    if (isLast) this.finish(slot);
    return true;
  }

  /**
   * The position in the data of `slot` where a chunk of `bytes` bytes begins; -1 when it is not within the request. The
   * offset of the chunk in the export follows its header.
   */
  private positionOf(slot: number, bytes: number): number {
    const { view, sink } = this;
    const total = sink.bytesOf(slot);
    const at = this.begin + NBD_STRUCTURED_REPLY_BYTES;
    const lo = view.getInt32(at + 4);
    const start = sink.offsetLoOf(slot);
    // The words of the difference; a request is shorter than 2 GiB, so a position within it is a low word above 0.
    const borrow = lo >>> 0 < start >>> 0 ? 1 : 0;
    const high = (view.getInt32(at) - sink.offsetHiOf(slot) - borrow) | 0;
    const position = (lo - start) | 0;
    return high === 0 && position >= 0 && position + bytes <= total ? position : -1;
  }

  private expect(slot: number, at: number, bytes: number, isLast: boolean): void {
    this.slot = slot;
    this.at = at;
    this.left = bytes;
    this.isLast = isLast;
  }

  /** All of the reply has come. A read of which a part was left out has failed. */
  private finish(slot: number): void {
    this.isLast = false;
    const { sink } = this;
    const error = this.error[slot]!;
    const isShort = this.structured && !this.come.isWhole(slot, sink.bytesOf(slot));
    if (this.structured) this.come.clear(slot);
    this.error[slot] = 0;
    sink.finish(slot, error === 0 && isShort ? NBD_EIO : error);
  }

  private broken(how: string): boolean {
    this.problem = how;
    return false;
  }
}
