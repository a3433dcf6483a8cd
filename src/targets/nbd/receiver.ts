/**
 * The receiving half of a connection: where the next bytes go, and what becomes of them. docs/decisions/0018 says why
 * there are two kinds of receive. Hot path: nothing here allocates while the connection is up.
 *
 * Contract: one receive is under way at a time, and it never has more room than the piece of memory that it goes to.
 */
import { mapAnonymous } from '../../native/memory.ts';
import { errnoText } from '../../native/uapi/errno.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';
import type { TargetRing } from '../target.ts';
import { ReplyParser, type ReplySink } from './reply-parser.ts';
import { LARGE_BYTES, type Waiting } from './waiting.ts';

const MSG_WAITALL = 0x100;

/** The staging buffer takes the replies of a whole batch of small reads. */
const STAGING_BYTES = 256 << 10;
/** Data that is still to come is received directly into its request from this size on: a copy costs less below it. */
const DIRECT_BYTES = LARGE_BYTES;

/** Whoever completes the requests: see ReplySink.finish. */
export interface Answered {
  answered(slot: number, error: number): void;
}

export class Receiver implements ReplySink {
  private readonly ring: TargetRing;
  private readonly waiting: Waiting;
  private readonly queue: Answered;
  private readonly token: number;
  private readonly staging: Buffer;
  private readonly stagingLo: number;
  private readonly stagingHi: number;
  private readonly parser: ReplyParser;
  /** The receive that is under way goes directly into a request. */
  private isDirect = false;
  /** The socket had no more when it was last read: to look again at once would be in vain. */
  private isDrained = true;

  /** `token` is that of its operations. `structured`: the server has agreed to structured replies. */
  constructor(
    ring: TargetRing,
    waiting: Waiting,
    queue: Answered,
    { slots, structured, token }: { readonly slots: number; readonly structured: boolean; readonly token: number },
  ) {
    this.ring = ring;
    this.waiting = waiting;
    this.queue = queue;
    this.token = token;
    const memory = mapAnonymous(STAGING_BYTES, 'of replies of an NBD server');
    this.staging = memory.bytes;
    [this.stagingLo, this.stagingHi] = wordsOf(memory.address);
    this.parser = new ReplyParser(memory.bytes, slots, structured, this);
  }

  /** Begins to receive what comes next. */
  submit(fd: number): void {
    const { parser, ring, token } = this;
    this.isDirect = parser.left >= DIRECT_BYTES;
    if (this.isDirect) {
      const { dataLo, dataHi } = ring.request(parser.slot);
      const { at, left } = parser;
      ring.receive(fd, sumLo(dataLo, at), sumHi(dataLo, dataHi, at), left, MSG_WAITALL, false, token);
      return;
    }
    const { end } = parser;
    const { stagingLo, stagingHi } = this;
    const length = this.wanted();
    ring.receive(fd, sumLo(stagingLo, end), sumHi(stagingLo, stagingHi, end), length, 0, this.isDrained, token);
  }

  /** The operation has ended. Returns why nothing more can be received; empty: more can. */
  ended(result: number): string {
    if (result <= 0) return result === 0 ? 'the server has closed it' : errnoText(-result);
    const { parser } = this;
    if (this.isDirect) {
      this.isDrained = false;
      parser.placed(result);
      return '';
    }
    this.isDrained = result < parser.room;
    return parser.parse(result) ? '' : `the server does not follow the protocol: ${parser.problem}`;
  }

  /** Begins a new connection. No operation is under way. */
  reset(structured: boolean): void {
    this.isDrained = true;
    this.parser.reset(structured);
  }

  slotOf(cookieLo: number, cookieHi: number): number {
    return this.waiting.slotOf(cookieLo, cookieHi);
  }

  bytesOf(slot: number): number {
    return this.waiting.bytesOf(slot);
  }

  offsetLoOf(slot: number): number {
    return this.waiting.offsetLoOf(slot);
  }

  offsetHiOf(slot: number): number {
    return this.waiting.offsetHiOf(slot);
  }

  copy(slot: number, at: number, from: number, length: number): void {
    this.staging.copy(this.ring.request(slot).view(), at, from, from + length);
  }

  zero(slot: number, at: number, length: number): void {
    const view = this.ring.request(slot).view();
    view.fill(0, at, at + length);
  }

  finish(slot: number, error: number): void {
    this.queue.answered(slot, error);
  }

  /** While only large reads wait, a header and what belongs before it: the data behind it is not to be copied. */
  private wanted(): number {
    const { parser } = this;
    if (!this.waiting.onlyLargeReads) return parser.room;
    return Math.min(parser.room, parser.left + parser.missing);
  }
}
