/**
 * The requests in hand, by slot: whether each waits for a message to be sent in or for a reply, and what its reply must
 * look like. Hot path: nothing here allocates.
 */
import {
  UBLK_IO_F_FUA,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../../native/uapi/ublk-io.ts';
import type { IoRequest } from '../../target.ts';
import { Losses } from './losses.ts';
import type { Unstored } from './unstored.ts';

/** What a request waits for. */
const NOTHING = 0;
const A_MESSAGE = 1;
const A_REPLY = 2;
/** A write that is answered, and whose message is still being sent: the kernel may still read its data. */
const SENT = 3;
/** A read that is answered, and is completed together with others (gathered.ts). */
const GATHERED = 4;

/** Data of this size or more is received directly into its request. Below it, a copy costs less. */
const LARGE_BYTES = 32 << 10;

/**
 * The limits of `isLittle`: the number of requests, and the bytes of their writes. A write counts for at most TOO_MUCH
 * bytes.
 */
const FEW = 4;
const LITTLE = 8 << 10;
const TOO_MUCH = LITTLE + 1;

export class Waiting {
  /** Requests that wait for a reply. */
  replies = 0;
  /** How many of them are reads of `directBytes` or more, and the bytes of those that are writes. */
  private directReads = 0;
  private written = 0;
  /** Writes that are answered, and wait for their message to be sent. */
  held = 0;
  private readonly unstored: Unstored;

  /** Those that have waited through the loss of a connection. */
  readonly losses: Losses;
  /** How often the connection was looked at. It wraps around. */
  private looks = 0;

  /** Data of this size or more that is still to come is received directly into its request. */
  readonly directBytes: number;
  private readonly slots: number;
  private readonly waits: Uint8Array;
  /** How often a slot was sent: the high word of its cookie. */
  private readonly sequence: Int32Array;
  /** The message that the request was last put into, and the one that is filled now: see `slotOf`. */
  private readonly message: Int32Array;
  private filled = 1;
  /** The value of `looks` when the request was last put into a message. */
  private readonly asked: Int32Array;
  /** Bytes that a read gets, and where it begins in the export. */
  private readonly reads: Int32Array;
  private readonly offsetLo: Int32Array;
  private readonly offsetHi: Int32Array;
  /** The error number in the reply of a write that is held. */
  private readonly errors: Int32Array;

  /** `registers`: the data of requests is in registered buffers, into which nothing can be copied. */
  constructor(slots: number, registers: boolean, unstored: Unstored) {
    this.unstored = unstored;
    this.directBytes = registers ? 1 : LARGE_BYTES;
    this.slots = slots;
    this.losses = new Losses(slots);
    this.waits = new Uint8Array(slots);
    this.sequence = new Int32Array(slots);
    this.message = new Int32Array(slots);
    this.asked = new Int32Array(slots);
    this.reads = new Int32Array(slots);
    this.offsetLo = new Int32Array(slots);
    this.offsetHi = new Int32Array(slots);
    this.errors = new Int32Array(slots);
  }

  forMessage(slot: number): void {
    this.waits[slot] = A_MESSAGE;
  }

  isForMessage(slot: number): boolean {
    return this.waits[slot] === A_MESSAGE;
  }

  forNothing(slot: number): void {
    this.waits[slot] = NOTHING;
    if (this.losses.count > 0) this.losses.end(slot);
  }

  /** The request is in a message, and waits for the reply. */
  forReply(io: IoRequest): void {
    const { slot, op, bytes } = io;
    const isFlush = op === UBLK_IO_OP_FLUSH;
    const reads = op === UBLK_IO_OP_READ ? bytes : 0;
    this.sequence[slot] = (this.sequence[slot]! + 1) | 0;
    this.reads[slot] = reads;
    this.offsetLo[slot] = isFlush ? 0 : io.startLo << 9;
    this.offsetHi[slot] = isFlush ? 0 : (io.startHi << 9) | (io.startLo >>> 23);
    if (isFlush) this.unstored.flushes(slot);
    this.waits[slot] = A_REPLY;
    this.message[slot] = this.filled;
    this.asked[slot] = this.looks;
    this.replies++;
    if (reads >= this.directBytes) this.directReads++;
    if (op === UBLK_IO_OP_WRITE) this.written += Math.min(bytes, TOO_MUCH);
  }

  /** The message that was filled until now is being sent. */
  messageBegins(): void {
    this.filled = (this.filled + 1) | 0;
  }

  /** Whether the request is in the message whose sending began last. */
  isInSending(slot: number): boolean {
    return this.message[slot] === ((this.filled - 1) | 0);
  }

  /** The reply to a write has come, with this error number, and its message is still being sent. */
  hold(slot: number, error: number): void {
    this.waits[slot] = SENT;
    this.errors[slot] = error;
    this.held++;
  }

  isHeld(slot: number): boolean {
    return this.waits[slot] === SENT;
  }

  /** The read is answered, and completed later. */
  gather(slot: number): void {
    this.waits[slot] = GATHERED;
  }

  /** The message is sent. Returns the error number in the reply to a write that was held. */
  release(slot: number): number {
    this.waits[slot] = A_REPLY;
    this.held--;
    return this.errors[slot]!;
  }

  /**
   * Takes the request out of the counts of requests that wait for a reply. The caller then sets what the request waits
   * for.
   */
  answered({ slot, op, bytes }: IoRequest): void {
    this.replies--;
    if (this.reads[slot]! >= this.directBytes) this.directReads--;
    if (op === UBLK_IO_OP_WRITE) this.written -= Math.min(bytes, TOO_MUCH);
  }

  /** The server has carried the request out. */
  succeeded({ slot, op, flags }: IoRequest): void {
    if (op === UBLK_IO_OP_FLUSH) this.unstored.flushed(slot);
    else if ((op === UBLK_IO_OP_WRITE || op === UBLK_IO_OP_WRITE_ZEROES) && (flags & UBLK_IO_F_FUA) === 0) {
      this.unstored.written();
    }
  }

  /** The connection is looked at once more. */
  looked(): void {
    this.looks = (this.looks + 1) | 0;
  }

  /** Whether a request that was put into a message has had no reply in more than `looks` looks. */
  isUnanswered(looks: number): boolean {
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.waits[slot]! >= A_REPLY && ((this.looks - this.asked[slot]!) | 0) > looks) return true;
    }
    return false;
  }

  /** The connection is lost at the time `now`: what waits for a reply waits for the next message. */
  lost(now: number): void {
    for (let slot = 0; slot < this.slots; slot++) {
      const waits = this.waits[slot]!;
      if (waits === NOTHING) continue;
      this.waits[slot] = A_MESSAGE;
      if (waits === A_MESSAGE) this.losses.add(slot, now);
      else this.losses.addSent(slot, now);
    }
    this.replies = 0;
    this.held = 0;
    this.directReads = 0;
    this.written = 0;
  }

  /**
   * The slot of the request that waits for a reply with this cookie; -1: no request does. A server could guess the
   * cookie of a request that has not been sent. Such a request must not be completed, because its data is part of the
   * message that is being filled. A reply may come while the rest of its message is still being sent: see `hold`.
   */
  slotOf(cookieLo: number, cookieHi: number): number {
    if (cookieLo < 0 || cookieLo >= this.slots || this.waits[cookieLo] !== A_REPLY) return -1;
    return this.sequence[cookieLo] === cookieHi && this.message[cookieLo] !== this.filled ? cookieLo : -1;
  }

  /** The high word of the cookie; the low word is the slot. */
  cookieHiOf(slot: number): number {
    return this.sequence[slot]!;
  }

  /** Bytes of the read of `slot`; 0 for any other request. */
  bytesOf(slot: number): number {
    return this.reads[slot]!;
  }

  /** Where the request begins in the export, in bytes; 0 for a flush. */
  offsetLoOf(slot: number): number {
    return this.offsetLo[slot]!;
  }

  offsetHiOf(slot: number): number {
    return this.offsetHi[slot]!;
  }

  /** The data of every reply that can come next is received directly. */
  get onlyDirectReads(): boolean {
    return this.directReads > 0 && this.directReads === this.replies;
  }

  /** No reply that can come next has data that is received directly. */
  get noDirectReads(): boolean {
    return this.directReads === 0;
  }

  /**
   * The requests that wait for replies are so few and so small that they fit into the buffer of any socket, even if the
   * server has read none of them.
   */
  get isLittle(): boolean {
    return this.replies <= FEW && this.written <= LITTLE;
  }
}
