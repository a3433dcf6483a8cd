/**
 * The queue of the target nbd: requests become messages to the server, and its replies complete them. One connection
 * belongs to one queue thread. docs/decisions/0018 says how data travels.
 *
 * Contract
 * - One message is being sent at a time, and one receive is under way at any time while the connection is up.
 * - The connection is shut down when anything about it fails. Nothing touches the requests before its two operations
 *   have ended. Then every request that was not answered waits, and is sent again on the next connection.
 * - A write is completed when it is answered and its message is sent: until then the kernel may read its data.
 * - A connection to a healthy server that has to be made anew is drained first: a write that is sent again while the
 *   server still works on it may overwrite what was written after it.
 * - This is the hot path while the connection is up: nothing here allocates.
 */
import { closeSync } from 'node:fs';
import type { Params, ParamsInit } from '../../control/commands.ts';
import { abandon, shutDown } from '../../native/libc/stream-socket.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { UBLK_IO_OP_WRITE } from '../../native/uapi/ublk-io.ts';
import { lengthOf, offsetOf } from '../handlers/request.ts';
import type { ConnectionWriter } from '../../stats/connection-writer.ts';
import type { IoRequest, QueueContext, TargetQueue, TargetRing, ThreadEvents } from '../target.ts';
import { sayGoodbye } from './transmission/goodbye.ts';
import { exportAsMade } from './connection/as-made.ts';
import { type Connection, Link } from './connection/link.ts';
import { isGone, Looks, SILENT } from './connection/liveness.ts';
import type { Shutdowns } from './connection/shutdowns.ts';
import type { NbdOptions } from './options.ts';
import { largestOf, nbdNotes } from './params.ts';
import { errnoOfNbd, NBD_ESHUTDOWN } from './protocol/errors.ts';
import { Gathered } from './transmission/gathered.ts';
import { type Answered, Receiver } from './transmission/receiver.ts';
import { Sender } from './transmission/sender.ts';
import { Stranded } from './transmission/stranded.ts';
import type { TlsThread } from './tls/thread.ts';
import type { Unstored } from './transmission/unstored.ts';
import { Waiting } from './transmission/waiting.ts';

const { EIO } = ERRNO;

/** Tokens of ring operations. */
const SENT = 0;
const RECEIVED = 1;
const PART_FAILED = 2;
const LOOKED = 3;

const UP = 0;
/** The connection is good and shall end: what was sent is answered first, and nothing more is taken. */
const DRAINING = 1;
/** The connection is shut down, and its operations have not all ended. */
const ENDING = 2;
const DOWN = 3;
/** There is no connection, and requests fail instead of waiting. */
const GIVEN_UP = 4;

/** How long a healthy server may take for what was sent to it. */
const DRAIN_MS = 10_000;

/** The reasons for which a connection is ended that has not failed. */
const GROWN = 'the device has grown since it was made';
const SHUTDOWN = 'the server is about to end';

export interface NbdQueueOptions extends NbdOptions {
  /** The parameters that the kernel has of a device that is recovered; null for a new device. */
  readonly kept: Params | null;
  /** The data of requests is in registered buffers. */
  readonly registers: boolean;
  readonly tunnels: TlsThread;
  readonly shutdowns: Shutdowns;
  readonly unstored: Unstored;
}

export class NbdQueue implements TargetQueue, Answered {
  readonly params: ParamsInit;
  readonly notes: readonly string[];
  private readonly ring: TargetRing;
  private readonly events: ThreadEvents;
  private readonly slots: number;
  private readonly published: ConnectionWriter;
  private readonly link: Link;
  private readonly waiting: Waiting;
  private readonly stranded: Stranded;
  private readonly sender: Sender;
  private readonly receiver: Receiver;
  /** The data of requests is in registered buffers. */
  private readonly registers: boolean;
  private readonly gathered: Gathered;

  private readonly tunnels: TlsThread;
  private readonly looks: Looks;
  private readonly shutdowns: Shutdowns;
  private readonly unstored: Unstored;
  private readonly requestSeconds: number;

  private mode = UP;
  private patience: NodeJS.Timeout | undefined;
  private fd: number;
  /** See Connected. */
  private drop: (() => void) | null;
  private isReceiving = false;
  /** Why the connection is being ended, or will be ended as soon as the received bytes are parsed; empty: it stays. */
  private reason = '';
  /**
   * The size of the export when the connection was made. Many servers keep to that size for the life of the connection.
   */
  private exportBytes: number;
  /** The slot of the suspect that was sent, and waits for its reply; -1: there is none. */
  private suspect = -1;
  /** The connection was made again, and has not answered what was lost before it. */
  private isTrial = false;
  /** The connection was made again because the device has grown, and the export had not. */
  private isSizeAsked = false;

  constructor(
    { slots, ring, events, thread, threads, connection: published, deviceBytes }: QueueContext,
    options: NbdQueueOptions,
    params: ParamsInit,
    { fd, drop, structured, export: found }: Connection,
  ) {
    this.params = params;
    this.notes = nbdNotes(found);
    this.ring = ring;
    this.events = events;
    this.slots = slots;
    this.published = published;
    this.fd = fd;
    this.drop = drop;
    this.exportBytes = found.bytes;
    const { kept, registers, tunnels, requestSeconds, shutdowns, unstored } = options;
    const waiting = new Waiting(slots, registers, unstored);
    this.registers = registers;
    this.gathered = new Gathered(slots);
    this.waiting = waiting;
    this.stranded = new Stranded(slots, waiting, events);
    this.tunnels = tunnels;
    this.shutdowns = shutdowns;
    this.unstored = unstored;
    this.requestSeconds = requestSeconds;
    this.sender = new Sender({ ring, waiting, published, slots, token: SENT, partToken: PART_FAILED });
    this.receiver = new Receiver({
      ring,
      waiting,
      published,
      queue: this,
      slots,
      structured,
      registers,
      token: RECEIVED,
    });
    this.link = new Link({
      ...options,
      export: exportAsMade(found, kept ?? params),
      needs: { largest: largestOf(kept ?? params), connections: threads },
      thread,
      deviceBytes,
      onConnected: (connection) => this.connected(connection),
      oldestLoss: () => this.waiting.losses.oldest,
      onOverdue: (since) => this.stranded.failOverdue(since),
      onGivenUp: () => this.giveUp(),
      onLate: (sinceMs) => this.stranded.report(sinceMs),
    });
    published.is('up');
    this.looks = new Looks(ring, fd, LOOKED, { limitSeconds: requestSeconds, isAlone: threads === 1 });
    this.receive();
  }

  queueIo(io: IoRequest): void {
    if (this.mode === UP) this.sender.take(io);
    else if (this.mode === GIVEN_UP) io.complete(-EIO);
    else this.letWait(io.slot);
  }

  operationDone(): void {}

  /** There is no connection that takes requests. */
  private letWait(slot: number): void {
    this.waiting.forMessage(slot);
    if (this.mode === DOWN) this.waiting.losses.add(slot, performance.now());
  }

  ringDone(token: number, result: number, hasMore: boolean): void {
    if (token === LOOKED) {
      this.look();
      return;
    }
    if (token === RECEIVED) this.isReceiving = false;
    if (this.mode === UP || this.mode === DRAINING) this.goOn(token, result, hasMore);
    else if (token !== RECEIVED) this.sender.isBusy = false;
    // This may have been the last operation of a connection that is being ended.
    if (this.mode === ENDING && !this.sender.isBusy && !this.isReceiving) this.down();
  }

  batchEnd(): number {
    this.published.inFlight(this.waiting.replies);
    if (this.mode === UP) return this.sender.submit(this.fd);
    return this.mode === DRAINING ? this.sender.submitLast(this.fd) : 0;
  }

  /** Closes the connection. The thread does not look at its ring again. */
  close(): Promise<void> {
    this.link.close();
    clearTimeout(this.patience);
    const isOpen = this.mode === UP || this.mode === DRAINING || this.mode === ENDING;
    const isQuiet = this.mode === UP && !this.sender.isBusy;
    this.mode = GIVEN_UP;
    if (isOpen) {
      if (isQuiet) sayGoodbye(this.fd);
      shutDown(this.fd);
      closeSync(this.fd);
    }
    this.sender.release();
    this.receiver.release();
    this.looks.release();
    return this.tunnels.end();
  }

  /** A reply has come (Answered). */
  answered(slot: number, error: number): void {
    const { sender, waiting } = this;
    if (error === 0 && this.registers && this.isGathered(slot)) {
      waiting.gather(slot);
      return;
    }
    const io = this.ring.request(slot);
    if (sender.isBusy && io.op === UBLK_IO_OP_WRITE && waiting.isInSending(slot)) waiting.hold(slot, error);
    else this.settle(io, error);
  }

  /** Whether a read is kept back, to be completed together with those that follow in the socket. */
  private isGathered(slot: number): boolean {
    const bytes = this.waiting.bytesOf(slot);
    return bytes > 0 && this.receiver.hasMore && !this.isTrial && this.gathered.add(slot, bytes);
  }

  private isGatheredDue(): boolean {
    return !this.receiver.hasMore || this.gathered.isDue();
  }

  private settleGathered(): void {
    const { gathered, ring } = this;
    const { count } = gathered;
    gathered.clear();
    for (let index = 0; index < count; index++) this.settle(ring.request(gathered.slotAt(index)), 0);
  }

  /** Completes a request whose reply has come with this error number, or lets it wait for the next connection. */
  private settle(io: IoRequest, error: number): void {
    const { slot } = io;
    this.waiting.answered(io);
    if (error === NBD_ESHUTDOWN) {
      // The request was not served, and another server may serve it.
      this.waiting.forMessage(slot);
      this.serverEnds();
      return;
    }
    if (error !== 0 && this.isBeyond(io)) {
      this.waiting.forMessage(slot);
      this.isSizeAsked = true;
      this.reason = GROWN;
      return;
    }
    this.waiting.forNothing(slot);
    if (this.isTrial) this.proven();
    if (error === 0) this.waiting.succeeded(io);
    io.complete(error === 0 ? io.bytes : -errnoOfNbd(error));
    if (!this.isTrial) return;
    if (slot === this.suspect) this.suspect = -1;
    this.trySuspect(this.ring);
  }

  private serverEnds(): void {
    // A server that says so of every request on every connection is believed by this thread alone.
    if (this.reason === '' && this.link.isGood) this.shutdowns.tell();
    this.reason = SHUTDOWN;
  }

  /** The connection that was made again has answered a request. One that was lost before may still end it. */
  private proven(): void {
    this.link.proven();
    if (this.waiting.losses.count > 0) return;
    this.isTrial = false;
    this.events.reportStuck(null);
  }

  /** Sends the next suspect (Losses), if nothing else that was lost is still to be answered. */
  private trySuspect(thread: Pick<TargetRing, 'request'>): void {
    const { sender, suspect } = this;
    const { count, suspects } = this.waiting.losses;
    if (suspects === 0 || count > suspects || suspect >= 0 || this.reason !== '' || !sender.hasRoomAhead) return;
    this.suspect = this.waiting.losses.nextSuspect;
    sender.takeAhead(thread.request(this.suspect));
  }

  /** Whether the request lies behind the end that the export had when the connection was made, and may not do so now. */
  private isBeyond(io: IoRequest): boolean {
    return offsetOf(io) + lengthOf(io) > this.exportBytes && (!this.isSizeAsked || this.reason === GROWN);
  }

  private goOn(token: number, result: number, hasMore: boolean): void {
    const problem = token === RECEIVED ? this.receiver.ended(result, hasMore) : this.sender.ended(token, result);
    // The next receive ends at once only when the socket has something for it. A connection that ends has answered these.
    if (token === RECEIVED && this.gathered.count > 0 && (problem !== '' || this.isGatheredDue()))
      this.settleGathered();
    if (problem !== '') {
      this.end(problem);
      return;
    }
    if (this.waiting.held > 0 && !this.sender.isBusy) this.releaseHeld();
    if (this.reason !== '' && this.endsOrDrains()) return;
    if (token === RECEIVED) this.receive();
  }

  /** Ends a connection that has nothing to answer, and returns true. Another one is drained. */
  private endsOrDrains(): boolean {
    const isQuiet = this.waiting.replies === 0 && !this.sender.isBusy;
    if (isQuiet) this.end(this.reason);
    else if (this.mode === UP) this.drain();
    return isQuiet;
  }

  /** Completes the writes that were held: their message is sent, so nothing reads their data any more. */
  private releaseHeld(): void {
    const { slots, waiting } = this;
    for (let slot = 0; slot < slots; slot++) {
      if (waiting.isHeld(slot)) this.settle(this.ring.request(slot), waiting.release(slot));
    }
  }

  /** The connection ends when everything that is in a message has been answered, or when that takes too long. */
  private drain(): void {
    this.mode = DRAINING;
    // A timer wakes the thread only while it sleeps in the event loop.
    this.events.sleepInLoop();
    this.patience = setTimeout(() => {
      if (this.mode === DRAINING) this.end(`${this.reason}, and requests were not answered for ${DRAIN_MS / 1000} s`);
    }, DRAIN_MS);
  }

  /** A pause between two looks at the connection is over. */
  private look(): void {
    const { looks, waiting, requestSeconds } = this;
    looks.again();
    waiting.looked();
    if (this.mode !== UP) return;
    if (this.shutdowns.isNews) {
      this.reason = SHUTDOWN;
      this.endsOrDrains();
    } else if (isGone(this.fd)) this.end(SILENT);
    else if (requestSeconds > 0 && waiting.isUnanswered(looks.limit)) {
      this.end(`a request has not been answered for ${requestSeconds} s`);
    }
  }

  private receive(): void {
    this.isReceiving = true;
    this.receiver.submit(this.fd, this.gathered.count > 0);
  }

  /** Shuts the connection down. `down` follows when its operations have ended. */
  private end(reason: string): void {
    clearTimeout(this.patience);
    this.reason = reason;
    this.mode = ENDING;
    abandon(this.fd);
    // The requests are sent again on the next connection, and newer writes may follow. A tunnel that delivered the old
    // ones after that would overwrite them.
    this.drop?.();
  }

  /** Nothing uses the connection any more: what was not answered waits for the next one. */
  private down(): void {
    closeSync(this.fd);
    this.mode = DOWN;
    this.published.is('waiting');
    this.suspect = -1;
    const wasWaiting = this.waiting.losses.count > 0;
    this.waiting.lost(performance.now());
    this.gathered.clear();
    this.sender.reset();
    const { reason } = this;
    this.reason = '';
    this.events.sleepInLoop();
    this.link.lost(reason, { isUnstored: this.unstored.is, wasWaiting });
  }

  private connected({ fd, drop, structured, export: found }: Connection): void {
    this.fd = fd;
    this.drop = drop;
    this.receiver.reset(structured);
    if (found.bytes > this.exportBytes) this.isSizeAsked = false;
    this.exportBytes = found.bytes;
    this.mode = UP;
    this.published.is('up');
    this.published.reconnected();
    this.shutdowns.connected();
    this.isTrial = true;
    this.sender.takeWaiting(this.events);
    this.trySuspect(this.events);
    this.receive();
    this.batchEnd();
    // The connection may be lost again while this is submitted, and then the thread stays in the event loop.
    this.events.sleepInRing();
    this.events.submit(true);
  }

  private giveUp(): void {
    this.mode = GIVEN_UP;
    this.published.is('failing');
    this.stranded.fail();
  }
}
