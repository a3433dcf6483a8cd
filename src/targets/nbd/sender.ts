/**
 * The sending half of a connection: it collects requests in a message while the message before is being sent. Hot path:
 * nothing here allocates while the connection is up.
 *
 * Contract: one message is being sent at a time. The memory of its requests is read until that operation has ended.
 */
import { ERRNO, errnoText } from '../../native/uapi/errno.ts';
import { UBLK_IO_OP_FLUSH, UBLK_IO_OP_WRITE } from '../../native/uapi/ublk-io.ts';
import type { IoRequest, TargetRing } from '../target.ts';
import { commandFlagsOf, commandOf } from './commands.ts';
import { Outbox } from './outbox.ts';
import type { Waiting } from './waiting.ts';

const { EINVAL } = ERRNO;

const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;

export class Sender {
  /** A message is being sent. */
  isBusy = false;
  private readonly ring: TargetRing;
  private readonly waiting: Waiting;
  private readonly slots: number;
  private readonly token: number;
  /** The message that is filled, and the one that is being sent or was. */
  private filling = new Outbox();
  private sending = new Outbox();
  /** Some requests found no room in the message. */
  private isOverfull = false;

  /** `token` is that of its operations. */
  constructor(ring: TargetRing, waiting: Waiting, slots: number, token: number) {
    this.ring = ring;
    this.waiting = waiting;
    this.slots = slots;
    this.token = token;
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
    if (!filling.hasRoomFor(isWrite ? length : 0)) {
      waiting.forMessage(slot);
      this.isOverfull = true;
      return;
    }
    waiting.forReply(io);
    const flags = commandFlagsOf(op, io.flags);
    const cookieHi = waiting.cookieHiOf(slot);
    filling.add(flags, command, slot, cookieHi, waiting.offsetLoOf(slot), waiting.offsetHiOf(slot), length);
    if (isWrite) filling.addData(io.dataLo, io.dataHi, length);
  }

  /** Takes the requests for which there was no room before, or no connection. */
  takeWaiting(): void {
    this.isOverfull = false;
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.waiting.isForMessage(slot)) this.take(this.ring.request(slot));
    }
  }

  /** Begins to send what was taken, if there is anything. Returns how many operations end while they are submitted. */
  submit(fd: number): number {
    if (this.isBusy) return 0;
    if (this.filling.isEmpty) {
      if (!this.isOverfull) return 0;
      this.takeWaiting();
    }
    const message = this.filling;
    this.filling = this.sending;
    this.sending = message;
    message.seal();
    this.isBusy = true;
    this.ring.sendMessage(fd, message.headerLo, message.headerHi, MSG_WAITALL | MSG_NOSIGNAL, this.token);
    return this.waiting.isLittle ? 1 : 0;
  }

  /** The operation has ended. Returns how it has failed; empty: it has not. */
  ended(result: number): string {
    const { sending } = this;
    this.isBusy = false;
    if (result !== sending.bytes) {
      return result < 0 ? errnoText(-result) : `only ${result} of ${sending.bytes} bytes were sent`;
    }
    sending.clear();
    return '';
  }

  /** Forgets both messages. No operation is under way. */
  reset(): void {
    this.isBusy = false;
    this.isOverfull = false;
    this.filling.clear();
    this.sending.clear();
  }
}
