/**
 * `-u` (UBLK_F_USER_COPY): the server copies, by reading and writing the request's bytes in /dev/ublkcN. Both go through
 * the ring, as the char device is opened O_NONBLOCK: io_uring then copies while it submits, where otherwise it would
 * hand each copy to a worker thread.
 *
 * A write's data is fetched before the target sees the request; a read's is handed over when the target has completed
 * it, and only then is it committed: where the commit is an entry of the ring itself by a link between the two, so that
 * one submission does both. The buffer is the slot's own from delivery to commit.
 */
import type { Ring } from '../../native/ring/ring.ts';
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_IO_LINK } from '../../native/uapi/io-uring-sqe-flags.ts';
import { IORING_OP_READ, IORING_OP_WRITE } from '../../native/uapi/io-uring-opcodes.ts';
import { userCopyPositionHi, userCopyPositionLo } from '../../native/uapi/ublk-addresses.ts';
import { UBLK_IO_F_INTEGRITY, UBLK_IO_OP_READ, UBLK_IO_OP_WRITE } from '../../native/uapi/ublk-io.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { CharDevice } from '../char-device.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Request } from '../request.ts';
import type { Slots } from '../slots.ts';
import { KIND_DATA, userData } from '../user-data.ts';
import type { Dispatcher } from './create.ts';
import type { DataPath } from './data-path.ts';

const EIO = 5;
/** Tokens: which direction, and what. */
const IN = 0;
const OUT = 2;
const DATA = 0;
const METADATA = 1;
/**
 * With the entry behind it as its sequel, and without a word when it went well. When it fails or is short it completes,
 * and what is linked behind it is cancelled without a completion.
 */
const LINKED = (IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS) << 8;
/** Data, metadata and the commit. */
const CHAIN = 3;

export class UserCopyPath implements DataPath {
  readonly way = STAT_WAYS.indexOf(DATA_PATHS.user_copy.countedAs);
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly device: CharDevice;
  private readonly thread: Dispatcher;
  private readonly delivery: Delivery;
  private readonly metadataBytes: number;
  /** Copies under way for each slot, and what they leave to commit: bytes, or -errno. */
  private readonly copies: Uint8Array;
  private readonly result: Int32Array;

  /** `metadataBytes`: for each 512 bytes of data; 0 without integrity. */
  constructor(
    ring: Ring,
    slots: Slots,
    device: CharDevice,
    thread: Dispatcher,
    delivery: Delivery,
    metadataBytes: number,
  ) {
    this.ring = ring;
    this.slots = slots;
    this.device = device;
    this.thread = thread;
    this.delivery = delivery;
    this.metadataBytes = metadataBytes;
    this.copies = new Uint8Array(slots.count);
    this.result = new Int32Array(slots.count);
  }

  arrive(io: Request): boolean {
    this.locate(io);
    if (io.op !== UBLK_IO_OP_WRITE) return true;
    this.copy(io, IORING_OP_READ, IN, io.bytes);
    return false;
  }

  locate(io: Request): void {
    io.locate(this.slots.bufferLo[io.slot]!, this.slots.bufferHi[io.slot]!, -1);
  }

  attach(): void {}

  depart(io: Request, result: number): boolean {
    if (io.op !== UBLK_IO_OP_READ || result <= 0) return true;
    this.result[io.slot] = result;
    if (!this.delivery.linkable) {
      this.copy(io, IORING_OP_WRITE, OUT, result);
      return false;
    }
    this.ring.reserve(CHAIN);
    this.copy(io, IORING_OP_WRITE | LINKED, OUT, result);
    return true;
  }

  operationDone(io: Request, token: number, result: number): void {
    const slot = io.slot;
    const out = (token & OUT) !== 0;
    const data = out ? this.result[slot]! : io.bytes;
    const expected = (token & METADATA) !== 0 ? this.metadataOf(io.bytes) : data;
    // A short copy is as bad as none: a client must not take what is left in its buffer for data.
    if (result !== expected) this.result[slot] = result < 0 ? result : -EIO;
    // Of a chain only the failure completes, and there is no other.
    const last = (out && this.delivery.linkable) || --this.copies[slot]! === 0;
    if (!last) return;
    const outcome = this.result[slot]!;
    if (out || outcome < 0) this.delivery.commit(slot, outcome);
    else {
      this.locate(io);
      this.thread.dispatch(slot);
    }
  }

  private copy(io: Request, opcode: number, direction: number, bytes: number): void {
    const { slot } = io;
    const slots = this.slots;
    if (direction === IN) this.result[slot] = 0;
    const metadata = (io.flags & UBLK_IO_F_INTEGRITY) !== 0;
    this.copies[slot] = metadata ? 2 : 1;
    this.transfer(slot, opcode, false, slots.bufferLo[slot]!, slots.bufferHi[slot]!, bytes, direction | DATA);
    if (!metadata) return;
    const { integrityLo, integrityHi } = slots;
    const length = this.metadataOf(io.bytes);
    this.transfer(slot, opcode, true, integrityLo[slot]!, integrityHi[slot]!, length, direction | METADATA);
  }

  private transfer(
    slot: number,
    opcode: number,
    metadata: boolean,
    addrLo: number,
    addrHi: number,
    length: number,
    token: number,
  ): void {
    const { fd, flags } = this.device;
    const queue = this.slots.queueTag[slot]! & 0xffff;
    const tag = this.slots.queueTag[slot]! >>> 16;
    this.ring.reserve(1);
    this.ring.sq.prepare(
      opcode | flags,
      fd,
      userCopyPositionLo(tag, 0),
      userCopyPositionHi(queue, tag, 0, metadata),
      addrLo,
      addrHi,
      length,
      0,
      0,
      userData(KIND_DATA, slot, token),
      0,
    );
  }

  private metadataOf(bytes: number): number {
    return (bytes >>> 9) * this.metadataBytes;
  }
}
