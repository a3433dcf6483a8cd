/**
 * The queue of the target nbd: requests become messages to the server, and its replies complete them. One connection
 * belongs to one queue thread. docs/decisions/0018 says how data travels.
 *
 * Contract
 * - One message is being sent at a time, and one receive is under way at any time while the connection is up.
 * - The connection is shut down when anything about it fails. Nothing touches the requests before its two operations
 *   have ended. Then every request that was not answered waits, and is sent again on the next connection.
 * - This is the hot path while the connection is up: nothing here allocates.
 */
import { closeSync, writeSync } from 'node:fs';
import type { ParamsInit } from '../../control/commands.ts';
import { shutDown } from '../../native/libc/stream-socket.ts';
import { mapAnonymous } from '../../native/memory.ts';
import { ERRNO, errnoText } from '../../native/uapi/errno.ts';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_F_NOUNMAP,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../native/uapi/ublk-io.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';
import { lengthOf, offsetOf } from '../handlers/request.ts';
import type { IoRequest, QueueContext, TargetQueue, TargetRing, ThreadEvents } from '../target.ts';
import { type Connection, Link } from './link.ts';
import type { NbdOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { errnoOfNbd, NBD_ESHUTDOWN } from './protocol/errors.ts';
import {
  NBD_CMD_DISC,
  NBD_CMD_FLAG_FUA,
  NBD_CMD_FLAG_NO_HOLE,
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_TRIM,
  NBD_CMD_WRITE,
  NBD_CMD_WRITE_ZEROES,
  NBD_REQUEST_BYTES,
} from './protocol/numbers.ts';
import { encodeRequest } from './protocol/request.ts';
import { ReplyParser, type ReplySink } from './reply-parser.ts';

const { EINVAL, EIO } = ERRNO;

const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;

/** Tokens of ring operations. */
const SENT = 0;
const STAGED = 1;
const PLACED = 2;

/** What a slot's request waits for. */
const NOTHING = 0;
const A_MESSAGE = 1;
const A_REPLY = 2;

const UP = 0;
/** The connection is shut down, and its operations have not all ended. */
const ENDING = 1;
const DOWN = 2;
/** As DOWN, and nothing waits any more. */
const GIVEN_UP = 3;

/** While no more requests and no more bytes of writes wait for replies, a message is sent while it is submitted. */
const FEW = 4;
const LITTLE = 8 << 10;
const TOO_MUCH = LITTLE + 1;

/** Why a connection is ended that has not failed. */
const GROWN = 'the device has grown since it was made';

/** The staging buffer takes the replies of a whole batch of small reads. */
const STAGING_BYTES = 256 << 10;
/** Data that is still to come is received directly into its request from this size on: a copy costs less below it. */
const DIRECT_BYTES = 32 << 10;

export class NbdQueue implements TargetQueue, ReplySink {
  readonly params: ParamsInit;
  private readonly ring: TargetRing;
  private readonly events: ThreadEvents;
  private readonly link: Link;
  private readonly slots: number;
  private readonly staging: Buffer;
  private readonly stagingLo: number;
  private readonly stagingHi: number;
  private readonly parser: ReplyParser;

  /** What the request of each slot waits for, and the number of times that it was sent: the high word of its cookie. */
  private readonly waits: Uint8Array;
  private readonly sequence: Int32Array;
  /** Bytes that a read of this slot gets, and its offset. */
  private readonly reads: Int32Array;
  private readonly offsetLo: Int32Array;
  private readonly offsetHi: Int32Array;

  /** The message that is filled, and the one that is being sent or was. */
  private filling = new Outbox();
  private sending = new Outbox();
  private isSending = false;
  private isReceiving = false;
  /** Requests that did not fit into the message. */
  private overflow = 0;
  /** Requests that wait for a reply, and how many of them are large reads. */
  private replies = 0;
  private largeReads = 0;
  /** Bytes of the writes that wait for a reply; one counts for no more than too much. */
  private written = 0;
  private fd: number;
  /** What the server said when the connection was made; many servers hold a connection to it. */
  private exportBytes: number;
  /** The connection was made again because the device has grown, and the export had not. */
  private isSizeAsked = false;
  private mode = UP;
  /** Why the connection is being ended. */
  private reason = '';

  constructor(
    { slots, ring, events, thread }: QueueContext,
    options: NbdOptions,
    params: ParamsInit,
    { fd, structured, export: found }: Connection,
  ) {
    this.params = params;
    this.ring = ring;
    this.events = events;
    this.slots = slots;
    this.fd = fd;
    this.exportBytes = found.bytes;
    const memory = mapAnonymous(STAGING_BYTES, 'of replies of an NBD server');
    this.staging = memory.bytes;
    [this.stagingLo, this.stagingHi] = wordsOf(memory.address);
    this.parser = new ReplyParser(memory.bytes, slots, structured, this);
    this.waits = new Uint8Array(slots);
    this.sequence = new Int32Array(slots);
    this.reads = new Int32Array(slots);
    this.offsetLo = new Int32Array(slots);
    this.offsetHi = new Int32Array(slots);
    this.link = new Link({
      ...options,
      export: found,
      thread,
      onConnected: (connection) => this.connected(connection),
      onGivenUp: () => this.giveUp(),
      onLate: (sinceMs) => this.reportLate(sinceMs),
    });
    this.receive(true);
  }

  queueIo(io: IoRequest): void {
    if (this.mode === UP) this.send(io);
    else if (this.mode === GIVEN_UP) io.complete(-EIO);
    else this.waits[io.slot] = A_MESSAGE;
  }

  operationDone(): void {}

  ringDone(token: number, result: number): void {
    if (token === SENT) this.isSending = false;
    else this.isReceiving = false;
    if (this.mode === UP) this.goOn(token, result);
    // What has just ended may have been the last operation of a connection that is being ended.
    if (this.mode === ENDING && !this.isSending && !this.isReceiving) this.down();
  }

  batchEnd(): number {
    if (this.isSending || this.mode !== UP) return 0;
    if (this.filling.isEmpty) {
      if (this.overflow === 0) return 0;
      this.sendWaiting();
    }
    const message = this.filling;
    this.filling = this.sending;
    this.sending = message;
    message.seal();
    this.isSending = true;
    this.ring.sendMessage(this.fd, message.headerLo, message.headerHi, MSG_WAITALL | MSG_NOSIGNAL, SENT);
    // So little fits into every socket: what was answered is out of it.
    return this.replies <= FEW && this.written <= LITTLE ? 1 : 0;
  }

  close(): void {
    this.link.close();
    if (this.mode !== UP) return;
    this.mode = GIVEN_UP;
    if (!this.isSending) sayGoodbye(this.fd);
    shutDown(this.fd);
    closeSync(this.fd);
  }

  slotOf(cookieLo: number, cookieHi: number): number {
    const isOurs = cookieLo >= 0 && cookieLo < this.slots;
    return isOurs && this.waits[cookieLo] === A_REPLY && this.sequence[cookieLo] === cookieHi ? cookieLo : -1;
  }

  bytesOf(slot: number): number {
    return this.reads[slot]!;
  }

  offsetLoOf(slot: number): number {
    return this.offsetLo[slot]!;
  }

  offsetHiOf(slot: number): number {
    return this.offsetHi[slot]!;
  }

  copy(slot: number, at: number, from: number, length: number): void {
    this.staging.copy(this.ring.request(slot).view(), at, from, from + length);
  }

  zero(slot: number, at: number, length: number): void {
    this.ring
      .request(slot)
      .view()
      .fill(0, at, at + length);
  }

  finish(slot: number, error: number): void {
    this.replies--;
    const io = this.ring.request(slot);
    if (this.reads[slot]! >= DIRECT_BYTES) this.largeReads--;
    if (io.op === UBLK_IO_OP_WRITE) this.written -= Math.min(io.bytes, TOO_MUCH);
    if (error === NBD_ESHUTDOWN) {
      // It was not served, and another server may do so.
      this.waits[slot] = A_MESSAGE;
      this.reason = 'the server is about to end';
      return;
    }
    if (error !== 0 && this.isBeyond(io)) {
      this.waits[slot] = A_MESSAGE;
      this.isSizeAsked = true;
      this.reason = GROWN;
      return;
    }
    this.waits[slot] = NOTHING;
    io.complete(error === 0 ? io.bytes : -errnoOfNbd(error));
  }

  /** Whether the request lies behind the end that the export had when the connection was made, and may not do so now. */
  private isBeyond(io: IoRequest): boolean {
    return offsetOf(io) + lengthOf(io) > this.exportBytes && (!this.isSizeAsked || this.reason === GROWN);
  }

  private goOn(token: number, result: number): void {
    if (token === SENT) this.sent(result);
    else if (result <= 0) this.end(result === 0 ? 'the server has closed it' : errnoText(-result));
    else if (token === PLACED) {
      this.parser.placed(result);
      this.next(false);
    } else {
      const isFull = result === this.parser.room;
      if (this.parser.parse(result)) this.next(!isFull);
      else this.end(`the server does not follow the protocol: ${this.parser.problem}`);
    }
  }

  private sent(result: number): void {
    const { sending } = this;
    if (result !== sending.bytes) {
      this.end(result < 0 ? errnoText(-result) : `only ${result} of ${sending.bytes} bytes were sent`);
      return;
    }
    sending.clear();
  }

  private next(isEmpty: boolean): void {
    if (this.reason === '') this.receive(isEmpty);
    else this.end(this.reason);
  }

  /** `isEmpty`: the socket had no more when it was last read, so to look again at once would be in vain. */
  private receive(isEmpty: boolean): void {
    const { parser } = this;
    this.isReceiving = true;
    if (parser.left >= DIRECT_BYTES) {
      const io = this.ring.request(parser.slot);
      const { dataLo } = io;
      const lo = sumLo(dataLo, parser.at);
      const hi = sumHi(dataLo, io.dataHi, parser.at);
      this.ring.receive(this.fd, lo, hi, parser.left, MSG_WAITALL, false, PLACED);
      return;
    }
    const { end } = parser;
    const lo = sumLo(this.stagingLo, end);
    const hi = sumHi(this.stagingLo, this.stagingHi, end);
    this.ring.receive(this.fd, lo, hi, this.wanted(), 0, isEmpty, STAGED);
  }

  /** While only large reads wait, a header and what belongs before it: the data behind it is not to be copied. */
  private wanted(): number {
    const { parser } = this;
    if (this.largeReads === 0 || this.largeReads < this.replies) return parser.room;
    return Math.min(parser.room, parser.left + parser.missing);
  }

  /** Puts a request into the message that is filled. */
  private send(io: IoRequest): void {
    const { slot, op, flags } = io;
    const isWrite = op === UBLK_IO_OP_WRITE;
    this.waits[slot] = A_MESSAGE;
    if (!this.filling.hasRoomFor(isWrite ? io.bytes : 0)) {
      this.overflow++;
      return;
    }
    const command = commandOf(op);
    if (command < 0) {
      this.waits[slot] = NOTHING;
      io.complete(-EINVAL);
      return;
    }
    const isFlush = op === UBLK_IO_OP_FLUSH;
    const offsetLo = isFlush ? 0 : io.startLo << 9;
    const offsetHi = isFlush ? 0 : (io.startHi << 9) | (io.startLo >>> 23);
    const sequence = (this.sequence[slot]! + 1) | 0;
    const reads = op === UBLK_IO_OP_READ ? io.bytes : 0;
    this.sequence[slot] = sequence;
    this.reads[slot] = reads;
    this.offsetLo[slot] = offsetLo;
    this.offsetHi[slot] = offsetHi;
    this.waits[slot] = A_REPLY;
    this.replies++;
    if (reads >= DIRECT_BYTES) this.largeReads++;
    const length = isFlush ? 0 : io.sectors << 9;
    this.filling.add(commandFlags(op, flags), command, slot, sequence, offsetLo, offsetHi, length);
    if (!isWrite) return;
    this.written += Math.min(length, TOO_MUCH);
    this.filling.addData(io.dataLo, io.dataHi, length);
  }

  /** Puts the requests into the message for which there was no room before, or no connection. */
  private sendWaiting(): void {
    this.overflow = 0;
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.waits[slot] === A_MESSAGE) this.send(this.ring.request(slot));
    }
  }

  /** Ends a connection that has failed. What follows happens when its operations have ended. */
  private end(reason: string): void {
    this.reason = reason;
    this.mode = ENDING;
    shutDown(this.fd);
  }

  /** Nothing uses the connection any more: what was not answered waits for the next one. */
  private down(): void {
    closeSync(this.fd);
    this.mode = DOWN;
    for (let slot = 0; slot < this.slots; slot++) if (this.waits[slot] === A_REPLY) this.waits[slot] = A_MESSAGE;
    this.filling.clear();
    this.sending.clear();
    this.replies = 0;
    this.largeReads = 0;
    this.written = 0;
    const { reason } = this;
    this.reason = '';
    this.events.sleepInLoop();
    this.link.lost(reason);
  }

  private connected({ fd, structured, export: found }: Connection): void {
    this.fd = fd;
    this.parser.reset(structured);
    if (found.bytes > this.exportBytes) this.isSizeAsked = false;
    this.exportBytes = found.bytes;
    this.mode = UP;
    this.events.reportStuck(null);
    this.sendWaiting();
    this.receive(true);
    this.batchEnd();
    this.events.submit(true);
    this.events.sleepInRing();
  }

  private reportLate(sinceMs: number): void {
    const requests = this.waits.reduce((sum, waits) => sum + (waits === A_MESSAGE ? 1 : 0), 0);
    if (requests === 0) return;
    const io = this.events.request(this.waits.indexOf(A_MESSAGE));
    this.events.reportStuck({ requests, op: io.op, offset: offsetOf(io), sinceMs });
  }

  private giveUp(): void {
    this.mode = GIVEN_UP;
    this.events.reportStuck(null);
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.waits[slot] !== A_MESSAGE) continue;
      this.waits[slot] = NOTHING;
      this.events.request(slot).complete(-EIO);
    }
    this.events.submit(true);
  }
}

const commandOf = (op: number): number => {
  switch (op) {
    case UBLK_IO_OP_READ:
      return NBD_CMD_READ;
    case UBLK_IO_OP_WRITE:
      return NBD_CMD_WRITE;
    case UBLK_IO_OP_FLUSH:
      return NBD_CMD_FLUSH;
    case UBLK_IO_OP_DISCARD:
      return NBD_CMD_TRIM;
    case UBLK_IO_OP_WRITE_ZEROES:
      return NBD_CMD_WRITE_ZEROES;
    default:
      return -1;
  }
};

/** A client that wants zeroes in place, and no hole, says NOUNMAP. FAST_ZERO is not asked for: see docs/decisions/0018. */
const commandFlags = (op: number, flags: number): number => {
  const isChange = op === UBLK_IO_OP_WRITE || op === UBLK_IO_OP_WRITE_ZEROES || op === UBLK_IO_OP_DISCARD;
  const fua = isChange && (flags & UBLK_IO_F_FUA) !== 0 ? NBD_CMD_FLAG_FUA : 0;
  const noHole = op === UBLK_IO_OP_WRITE_ZEROES && (flags & UBLK_IO_F_NOUNMAP) !== 0 ? NBD_CMD_FLAG_NO_HOLE : 0;
  return fua | noHole;
};

/** Tells the server that the session ends. It may have gone. */
function sayGoodbye(fd: number): void {
  const bytes = new Uint8Array(NBD_REQUEST_BYTES);
  encodeRequest(new DataView(bytes.buffer), 0, 0, NBD_CMD_DISC, 0, 0, 0, 0, 0);
  try {
    writeSync(fd, bytes);
  } catch {
    // Then it knows.
  }
}
