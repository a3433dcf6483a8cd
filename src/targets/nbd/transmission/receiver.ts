/**
 * The receiving half of a connection: where the next bytes go, and what becomes of them. docs/decisions/0018 says why
 * there are two kinds of receive. Hot path: nothing here allocates while the connection is up.
 *
 * Contract: one receive is under way at a time, and it never has more room than the piece of memory that it goes to.
 */
import { hollow, type MappedMemory, mapAnonymous } from '../../../native/memory.ts';
import { errnoText } from '../../../native/uapi/errno.ts';
import { sumHi, sumLo, wordsOf } from '../../../native/words64.ts';
import type { ConnectionWriter } from '../../../stats/connection-writer.ts';
import type { TargetRing } from '../../target.ts';
import { ReplyParser, type ReplySink } from './reply-parser.ts';
import type { Waiting } from './waiting.ts';
import { MSG_WAITALL } from '../../../native/uapi/socket.ts';

/** The staging buffer takes the replies of a whole batch of small reads. */
const STAGING_BYTES = 256 << 10;

/** The object that completes the requests: see ReplySink.finish. */
export interface Answered {
  answered(slot: number, error: number): void;
}

export interface ReceiverParts {
  readonly ring: TargetRing;
  readonly waiting: Waiting;
  readonly published: ConnectionWriter;
  readonly queue: Answered;
  readonly slots: number;
  /** The server has agreed to structured replies. */
  readonly structured: boolean;
  /** The data of requests is in registered buffers. */
  readonly registers: boolean;
  /** The token of its operations. */
  readonly token: number;
}

export class Receiver implements ReplySink {
  private readonly ring: TargetRing;
  private readonly waiting: Waiting;
  private readonly published: ConnectionWriter;
  private readonly queue: Answered;
  private readonly token: number;
  private readonly memory: MappedMemory;
  private readonly staging: Buffer;
  private readonly stagingLo: number;
  private readonly stagingHi: number;
  private readonly parser: ReplyParser;
  /** The data of requests is in registered buffers, into which nothing can be copied. */
  private readonly registers: boolean;
  /** The receive that is under way goes directly into a request. */
  private isDirect = false;
  /** The receive that is under way took what the socket held, before any read was sent whose reply would be in it. */
  private isWithoutReads = false;
  /** The socket had more data when it was last read. When it had none, the next receive waits before it reads. */
  hasMore = false;

  constructor({ ring, waiting, published, queue, slots, structured, registers, token }: ReceiverParts) {
    this.ring = ring;
    this.waiting = waiting;
    this.published = published;
    this.queue = queue;
    this.token = token;
    this.registers = registers;
    const memory = mapAnonymous(STAGING_BYTES, 'of replies of an NBD server');
    this.memory = memory;
    this.staging = memory.bytes;
    [this.stagingLo, this.stagingHi] = wordsOf(memory.address);
    this.parser = new ReplyParser(memory.bytes, slots, structured, this);
  }

  /**
   * Gives the memory back. The connection is shut down, and there will be no other. A receive may still end, so its
   * address is never used for anything else.
   */
  release(): void {
    hollow(this.memory, 'in place of replies of an NBD server');
  }

  /** Begins to receive what comes next. With `atOnce` it takes what the socket has: requests wait for it to end. */
  submit(fd: number, atOnce: boolean): void {
    const { hasMore, parser, registers, ring, token, waiting } = this;
    this.isDirect = parser.left >= waiting.directBytes;
    if (this.isDirect) {
      ring.receiveData(fd, parser.slot, parser.at, parser.left, atOnce ? 0 : MSG_WAITALL, token);
      return;
    }
    this.isWithoutReads = registers && hasMore && waiting.noDirectReads;
    const takesAll = registers ? this.isWithoutReads : !waiting.onlyDirectReads;
    const length = takesAll ? parser.room : this.toNextData;
    const { end } = parser;
    const { stagingLo, stagingHi } = this;
    ring.receive(fd, sumLo(stagingLo, end), sumHi(stagingLo, stagingHi, end), length, 0, !hasMore, token);
  }

  /** The operation has ended. Returns why nothing more can be received; empty: more can. */
  ended(result: number, hasMore: boolean): string {
    if (result <= 0) return result === 0 ? 'the server has closed it' : errnoText(-result);
    const { parser } = this;
    this.published.received(result);
    this.hasMore = hasMore;
    if (this.isDirect) {
      parser.placed(result);
      return '';
    }
    return parser.parse(result) ? '' : `the server does not follow the protocol: ${parser.problem}`;
  }

  /** Begins a new connection. No operation is under way. */
  reset(structured: boolean): void {
    this.hasMore = false;
    this.parser.reset(structured);
  }

  slotOf(cookieLo: number, cookieHi: number): number {
    const slot = this.waiting.slotOf(cookieLo, cookieHi);
    return this.isWithoutReads && slot >= 0 && this.bytesOf(slot) > 0 ? -1 : slot;
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

  /** Bytes up to the end of the next header: the data after it may have to be received directly. */
  private get toNextData(): number {
    const { parser } = this;
    return Math.min(parser.room, parser.left + parser.missing);
  }
}
