/** The ring as a target sees it, for operations that belong to no request (targets/target.ts, TargetRing). */
import type { Ring } from '../native/ring/ring.ts';
import { IORING_OP_RECV, IORING_OP_SENDMSG } from '../native/uapi/io-uring-opcodes.ts';
import { IORING_RECVSEND_POLL_FIRST } from '../native/uapi/io-uring-sqe-flags.ts';
import type { IoRequest, TargetRing } from '../targets/target.ts';
import { KIND_TARGET_OWN, userData } from './user-data.ts';

/** ioprio is in bits 16-31 of an entry's first word. */
const POLL_FIRST = IORING_RECVSEND_POLL_FIRST << 16;

/** A request that can be pointed at another slot. */
interface MovableRequest extends IoRequest {
  load(slot: number): void;
}

export class OwnOperations implements TargetRing {
  private readonly ring: Ring;
  private io: MovableRequest | undefined;

  constructor(ring: Ring) {
    this.ring = ring;
  }

  /** The thread's request, which is made after its target. */
  attach(request: MovableRequest): void {
    this.io = request;
  }

  request(slot: number): IoRequest {
    const { io } = this;
    if (io === undefined) throw new TypeError('the thread does not serve yet');
    io.load(slot);
    return io;
  }

  receive(
    fd: number,
    addressLo: number,
    addressHi: number,
    length: number,
    flags: number,
    pollFirst: boolean,
    token: number,
  ): void {
    this.begin(pollFirst ? IORING_OP_RECV | POLL_FIRST : IORING_OP_RECV, fd, token);
    const sqe = this.ring.sq.entry;
    sqe.addrLo = addressLo;
    sqe.addrHi = addressHi;
    sqe.len = length;
    sqe.opFlags = flags;
  }

  sendMessage(fd: number, headerLo: number, headerHi: number, flags: number, token: number): void {
    this.begin(IORING_OP_SENDMSG, fd, token);
    const sqe = this.ring.sq.entry;
    sqe.addrLo = headerLo;
    sqe.addrHi = headerHi;
    sqe.len = 1;
    sqe.opFlags = flags;
  }

  private begin(opcode: number, fd: number, token: number): void {
    this.ring.reserve(1);
    this.ring.sq.begin(opcode, fd, userData(KIND_TARGET_OWN, 0, token));
  }
}
