/**
 * How the main thread wakes a queue thread: by an eventfd that the queue thread's ring reads. The queue thread blocks
 * in io_uring_enter, where no message and no Atomics.notify would reach it.
 */
import { type MappedMemory, mapAnonymous } from '../native/memory.ts';
import type { Ring } from '../native/ring/ring.ts';
import { wordsOf } from '../native/words64.ts';
import { IORING_OP_READ } from '../native/uapi/io-uring-opcodes.ts';
import { KIND_WAKE, userData } from './user-data.ts';

const EVENTFD_BYTES = 8;

/** Serve on. */
export const STAY = 0;
/** The device leaves this server: leave when no request is in hand. */
export const DRAIN = 1;
/** Leave at once: the device has not started. */
export const LEAVE = 2;

export class WakeUp {
  private readonly ring: Ring;
  private readonly fd: number;
  private readonly flag: Int32Array;
  private readonly buffer: MappedMemory = mapAnonymous(EVENTFD_BYTES, 'of an eventfd buffer');

  constructor(ring: Ring, fd: number, order: SharedArrayBuffer) {
    this.ring = ring;
    this.fd = fd;
    this.flag = new Int32Array(order);
  }

  /** Reads the eventfd again. One completion of KIND_WAKE follows when the main thread has written to it. */
  arm(): void {
    const [addrLo, addrHi] = wordsOf(this.buffer.address);
    this.ring.reserve(1);
    this.ring.sq.begin(IORING_OP_READ, this.fd, userData(KIND_WAKE, 0, 0));
    const sqe = this.ring.sq.entry;
    sqe.addrLo = addrLo;
    sqe.addrHi = addrHi;
    sqe.len = EVENTFD_BYTES;
  }

  close(): void {
    this.buffer.unmap();
  }

  /** The request of the main thread: STAY, DRAIN or LEAVE. */
  get order(): number {
    return Atomics.load(this.flag, 0);
  }
}
