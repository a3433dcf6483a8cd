/**
 * The data path `-u` (UBLK_F_USER_COPY): the server copies, by reading and writing the request's bytes in /dev/ublkcN.
 * Both go through the ring. The char device is opened O_NONBLOCK, so io_uring copies while it submits; otherwise it
 * would hand each copy to a worker thread.
 *
 * A write's data is fetched before the target gets the request. A read's data is handed over when the target has
 * completed the request, and only then is the request committed. Where the commit is an entry of its own in the ring, a
 * link joins the two and one submission does both. The data is in the slot's own buffer from delivery to commit.
 *
 * Integrity metadata travels beside the data, between the kernel and a buffer of the slot's own. The data of a request that
 * matched a registered buffer is in place, and its metadata is not: that alone is copied.
 */
import type { Ring } from '../../native/ring/ring.ts';
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_IO_LINK } from '../../native/uapi/io-uring-sqe-flags.ts';
import { IORING_OP_READ, IORING_OP_WRITE } from '../../native/uapi/io-uring-opcodes.ts';
import { userCopyPositionHi, userCopyPositionLo } from '../../native/uapi/ublk-addresses.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { UBLK_IO_F_INTEGRITY, UBLK_IO_OP_READ, UBLK_IO_OP_WRITE } from '../../native/uapi/ublk-io.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { CharDevice } from '../char-device.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Slots } from '../slots.ts';
import { KIND_DATA, userData } from '../user-data.ts';
import type { DataPath, PathRequest } from './data-path.ts';

const { EIO } = ERRNO;
/** Tokens: the direction, and what is copied. */
const IN = 0;
const OUT = 2;
const DATA = 0;
const METADATA = 1;
/**
 * Flags of an entry that is linked to the next one and posts no completion when it succeeds. When it fails or is short,
 * it posts one, and what is linked behind it is cancelled without a completion.
 */
const LINKED = (IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS) << 8;
/** Entries of a chain: data, metadata and the commit. */
const CHAIN = 3;

export class UserCopyPath implements DataPath {
  private readonly way = STAT_WAYS.indexOf(DATA_PATHS.user_copy.countedAs);
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly device: CharDevice;
  private readonly delivery: Delivery;
  private readonly metadataBytes: number;
  /** How many copies are under way for each slot, and the result to commit after them: bytes, or -errno. */
  private readonly copies: Uint8Array;
  private readonly result: Int32Array;

  /** `metadataBytes`: per 512 bytes of data; 0 without integrity. */
  constructor(ring: Ring, slots: Slots, device: CharDevice, delivery: Delivery, metadataBytes: number) {
    this.ring = ring;
    this.slots = slots;
    this.device = device;
    this.delivery = delivery;
    this.metadataBytes = metadataBytes;
    this.copies = new Uint8Array(slots.count);
    this.result = new Int32Array(slots.count);
  }

  wayOf(): number {
    return this.way;
  }

  arrive(io: PathRequest): boolean {
    if (io.op !== UBLK_IO_OP_WRITE) return true;
    this.copy(io, IORING_OP_READ, IN, io.bytes);
    return false;
  }

  attach(): void {}

  depart(io: PathRequest, result: number): boolean {
    if (io.op !== UBLK_IO_OP_READ || result <= 0) return true;
    this.result[io.place] = result;
    if (!this.delivery.linkable) {
      this.copy(io, IORING_OP_WRITE, OUT, result);
      return false;
    }
    this.ring.reserve(CHAIN);
    this.copy(io, IORING_OP_WRITE | LINKED, OUT, result);
    return true;
  }

  operationDone(io: PathRequest, token: number, result: number): boolean {
    const slot = io.place;
    const out = (token & OUT) !== 0;
    const data = out ? this.result[slot]! : io.bytes;
    const expected = (token & METADATA) !== 0 ? this.metadataOf(io.bytes) : data;
    // A short copy is an error: a client must not take what is left in its buffer for data.
    if (result !== expected) this.result[slot] = result < 0 ? result : -EIO;
    // A chain posts completions only for failures, and has one failure at most.
    const last = (out && this.delivery.linkable) || --this.copies[slot]! === 0;
    if (!last) return false;
    const outcome = this.result[slot]!;
    if (out) this.delivery.commit(slot, outcome);
    else if (outcome < 0) io.complete(outcome);
    return !out && outcome >= 0;
  }

  private copy(io: PathRequest, opcode: number, direction: number, bytes: number): void {
    const slot = io.place;
    const slots = this.slots;
    if (direction === IN) this.result[slot] = 0;
    const metadata = (io.flags & UBLK_IO_F_INTEGRITY) !== 0;
    const data = !io.matched;
    this.copies[slot] = data && metadata ? 2 : 1;
    if (data) this.transfer(slot, opcode, false, slots.bufferLo[slot]!, slots.bufferHi[slot]!, bytes, direction | DATA);
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
    const queue = this.slots.queueTag[slot]! & 0xffff;
    const tag = this.slots.queueTag[slot]! >>> 16;
    this.ring.reserve(1);
    this.ring.sq.begin(opcode | this.device.flags, this.device.fd, userData(KIND_DATA, slot, token));
    const sqe = this.ring.sq.entry;
    sqe.offLo = userCopyPositionLo(tag, 0);
    sqe.offHi = userCopyPositionHi(queue, tag, 0, metadata);
    sqe.addrLo = addrLo;
    sqe.addrHi = addrHi;
    sqe.len = length;
  }

  private metadataOf(bytes: number): number {
    return (bytes >>> 9) * this.metadataBytes;
  }
}
