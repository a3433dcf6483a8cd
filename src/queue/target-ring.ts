/** The ring as a target sees it, for operations that belong to no request (targets/target.ts, TargetRing). */
import type { Ring } from '../native/ring/ring.ts';
import { IORING_OP_RECV, IORING_OP_SEND, IORING_OP_SENDMSG } from '../native/uapi/io-uring-opcodes.ts';
import {
  IORING_RECVSEND_FIXED_BUF,
  IORING_RECVSEND_POLL_FIRST,
  IOSQE_CQE_SKIP_SUCCESS,
  IOSQE_IO_LINK,
} from '../native/uapi/io-uring-sqe-flags.ts';
import { sumHi, sumLo } from '../native/words64.ts';
import type { IoRequest, TargetRing } from '../targets/target.ts';
import type { Slots } from './slots.ts';
import { addTimeout } from './timeout.ts';
import { KIND_TARGET_OWN, userData } from './user-data.ts';

/** An entry's first word has its flags in bits 8-15, and ioprio in bits 16-31. */
const POLL_FIRST = IORING_RECVSEND_POLL_FIRST << 16;
const FIXED_BUF = IORING_RECVSEND_FIXED_BUF << 16;
const LINKED = (IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS) << 8;

/** A request that can be pointed at another slot. */
interface MovableRequest extends IoRequest {
  load(slot: number): void;
}

/** Where the data of each slot's request is. */
type DataPlaces = Pick<Slots, 'dataLo' | 'dataHi' | 'dataIndex'>;

export class OwnOperations implements TargetRing {
  private readonly ring: Ring;
  private readonly slots: DataPlaces;
  private io: MovableRequest | undefined;

  constructor(ring: Ring, slots: DataPlaces) {
    this.ring = ring;
    this.slots = slots;
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

  receiveData(fd: number, slot: number, at: number, length: number, flags: number, token: number): void {
    this.onData(IORING_OP_RECV, fd, slot, at, length, flags, token);
  }

  sendData(fd: number, slot: number, length: number, flags: number, linked: boolean, token: number): void {
    this.onData(linked ? IORING_OP_SEND | LINKED : IORING_OP_SEND, fd, slot, 0, length, flags, token);
  }

  reserve(count: number): void {
    this.ring.reserve(count);
  }

  sendMessage(fd: number, headerLo: number, headerHi: number, flags: number, linked: boolean, token: number): void {
    this.begin(linked ? IORING_OP_SENDMSG | LINKED : IORING_OP_SENDMSG, fd, token);
    const sqe = this.ring.sq.entry;
    sqe.addrLo = headerLo;
    sqe.addrHi = headerHi;
    sqe.len = 1;
    sqe.opFlags = flags;
  }

  timeout(timespecLo: number, timespecHi: number, token: number): void {
    this.ring.reserve(1);
    addTimeout(this.ring.sq, timespecLo, timespecHi, userData(KIND_TARGET_OWN, 0, token));
  }

  private onData(
    opcode: number,
    fd: number,
    slot: number,
    at: number,
    length: number,
    flags: number,
    token: number,
  ): void {
    const { slots } = this;
    const index = slots.dataIndex[slot]!;
    const lo = slots.dataLo[slot]!;
    this.begin(index < 0 ? opcode : opcode | FIXED_BUF, fd, token);
    const sqe = this.ring.sq.entry;
    sqe.addrLo = sumLo(lo, at);
    sqe.addrHi = sumHi(lo, slots.dataHi[slot]!, at);
    sqe.len = length;
    sqe.opFlags = flags;
    if (index > 0) sqe.bufIndex = index;
  }

  private begin(opcode: number, fd: number, token: number): void {
    this.ring.reserve(1);
    this.ring.sq.begin(opcode, fd, userData(KIND_TARGET_OWN, 0, token));
  }
}
