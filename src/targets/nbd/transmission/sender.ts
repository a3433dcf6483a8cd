/**
 * The sending half of a connection: it collects requests in a message while the message before is being sent. Hot path:
 * nothing here allocates while the connection is up.
 *
 * Contract: one message is being sent at a time. The memory of its requests is read until that operation has ended.
 */
import { ERRNO, errnoText } from '../../../native/uapi/errno.ts';
import { UBLK_IO_OP_FLUSH, UBLK_IO_OP_WRITE } from '../../../native/uapi/ublk-io.ts';
import type { ConnectionWriter } from '../../../stats/connection-writer.ts';
import type { IoRequest, TargetRing } from '../../target.ts';
import { commandFlagsOf, commandOf } from './commands.ts';
import { Outbox } from './outbox.ts';
import type { Waiting } from './waiting.ts';
import { MSG_MORE, MSG_NOSIGNAL, MSG_WAITALL } from '../../../native/uapi/socket.ts';

const { EINVAL } = ERRNO;

/** The largest request of a device has fewer bytes. */
const LARGEST_BYTES = 2 ** 29;

const FLAGS = MSG_WAITALL | MSG_NOSIGNAL;

export interface SenderParts {
  readonly ring: TargetRing;
  readonly waiting: Waiting;
  readonly published: ConnectionWriter;
  readonly slots: number;
  /** The token of the last operation of each message. */
  readonly token: number;
  /** The token of the operations before it, of which only a failure is reported. */
  readonly partToken: number;
}

export class Sender {
  /** A message is being sent. */
  isBusy = false;
  private readonly ring: TargetRing;
  private readonly waiting: Waiting;
  private readonly published: ConnectionWriter;
  private readonly slots: number;
  private readonly token: number;
  private readonly partToken: number;
  /** The message that is being filled, and the one that is being sent or was sent last. */
  private filling = new Outbox();
  private sending = new Outbox();
  /** Some requests found no room in the message. All that come later wait with them. */
  private isOverfull = false;
  /** The slot whose request is first to be taken: the one that found no room. */
  private first = 0;

  constructor({ ring, waiting, published, slots, token, partToken }: SenderParts) {
    this.ring = ring;
    this.waiting = waiting;
    this.published = published;
    this.slots = slots;
    this.token = token;
    this.partToken = partToken;
  }

  /** Puts a request into the message, or lets it wait for the next one. Refuses what the protocol has no command for. */
  take(io: IoRequest): void {
    const { slot, op } = io;
    const { filling, waiting } = this;
    const command = commandOf(op);
    if (command < 0) {
      waiting.forNothing(slot);
      io.complete(-EINVAL);
      return;
    }
    const isWrite = op === UBLK_IO_OP_WRITE;
    const length = op === UBLK_IO_OP_FLUSH ? 0 : io.sectors << 9;
    if (this.isOverfull || !filling.hasRoomFor(isWrite ? length : 0)) {
      waiting.forMessage(slot);
      this.isOverfull = true;
      return;
    }
    waiting.forReply(io);
    const flags = commandFlagsOf(op, io.flags);
    const cookieHi = waiting.cookieHiOf(slot);
    filling.add(flags, command, slot, cookieHi, waiting.offsetLoOf(slot), waiting.offsetHiOf(slot), length);
    if (!isWrite) return;
    const { dataLo, dataHi } = io;
    if ((dataLo | dataHi) === 0) filling.addRegistered(slot, length);
    else filling.addData(dataLo, dataHi, length);
  }

  /**
   * Takes the requests that found no room or no connection, except suspects (Losses). `thread` has the request of each
   * slot.
   */
  takeWaiting(thread: Pick<TargetRing, 'request'>): void {
    this.isOverfull = false;
    const { first, slots, waiting } = this;
    for (let step = 0; step < slots; step++) {
      const slot = first + step < slots ? first + step : first + step - slots;
      if (!waiting.isForMessage(slot) || waiting.losses.isSuspect(slot)) continue;
      this.take(thread.request(slot));
      if (this.isOverfull) {
        this.first = slot;
        return;
      }
    }
  }

  /** Whether the message has room for any request that comes before those that wait for room. */
  get hasRoomAhead(): boolean {
    return this.filling.isEmpty || (!this.isOverfull && this.filling.hasRoomFor(LARGEST_BYTES));
  }

  /** Puts a request into the message, where `hasRoomAhead`: under load, some always wait, and it would never be sent. */
  takeAhead(io: IoRequest): void {
    const { isOverfull } = this;
    this.isOverfull = false;
    this.take(io);
    this.isOverfull ||= isOverfull;
  }

  /** Begins to send what was taken, if there is anything. Returns how many operations end while they are submitted. */
  submit(fd: number): number {
    if (this.isBusy) return 0;
    if (this.filling.isEmpty) {
      if (!this.isOverfull) return 0;
      this.takeWaiting(this.ring);
    }
    return this.send(fd);
  }

  /** As `submit`, and nothing that waits is taken any more. */
  submitLast(fd: number): number {
    return this.isBusy || this.filling.isEmpty ? 0 : this.send(fd);
  }

  private send(fd: number): number {
    const message = this.filling;
    this.filling = this.sending;
    this.sending = message;
    message.seal();
    this.waiting.messageBegins();
    this.isBusy = true;
    if (message.parts > 0) this.submitParts(fd, message);
    else this.ring.sendMessage(fd, message.headerLo, message.headerHi, FLAGS, false, this.token);
    return this.waiting.isLittle ? 1 : 0;
  }

  /**
   * The operation has ended. Returns how it has failed; empty: it has not. A send that ends early has met an error when the
   * kernel went on with it (MSG_WAITALL), and that error is lost: SO_ERROR does not have it any more.
   */
  ended(token: number, result: number): string {
    const { sending } = this;
    this.isBusy = false;
    const { parts, tailBytes, partBytes } = sending;
    const last = tailBytes > 0 ? tailBytes : partBytes[parts - 1]!;
    if (token !== this.token || result !== last) {
      return result < 0 ? errnoText(-result) : 'it broke off in the middle of a message';
    }
    this.published.sent(sending.bytes);
    sending.clear();
    return '';
  }

  /** Sends each part and the data at its end, one after the other, and what follows the parts. */
  private submitParts(fd: number, message: Outbox): void {
    const { ring, token, partToken } = this;
    const { parts, tailBytes, partSlot, partBytes } = message;
    ring.reserve(2 * parts + (tailBytes > 0 ? 1 : 0));
    for (let part = 0; part < parts; part++) {
      const isLast = part === parts - 1 && tailBytes === 0;
      ring.sendMessage(fd, message.partLo(part), message.partHi(part), FLAGS | MSG_MORE, true, partToken);
      ring.sendData(fd, partSlot[part]!, partBytes[part]!, FLAGS, !isLast, isLast ? token : partToken);
    }
    if (tailBytes > 0) ring.sendMessage(fd, message.partLo(parts), message.partHi(parts), FLAGS, false, token);
  }

  /** Gives the memory back. The connection is shut down, and there will be no other. */
  release(): void {
    this.filling.release();
    this.sending.release();
  }

  /** Empties both messages. No operation may be under way. */
  reset(): void {
    this.isBusy = false;
    this.isOverfull = false;
    this.filling.clear();
    this.sending.clear();
  }
}
