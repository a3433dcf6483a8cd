/**
 * How the main thread gets a word in: an eventfd that this thread's ring reads. The thread blocks in io_uring_enter, so
 * no message and no Atomics.notify would reach it.
 */
import { type MappedMemory, mapAnonymous } from '../native/memory.ts';
import type { Ring } from '../native/ring/ring.ts';
import { IORING_OP_READ } from '../native/uapi/io-uring-opcodes.ts';
import { KIND_WAKE, userData } from './user-data.ts';

const EVENTFD_BYTES = 8;

export class WakeUp {
  private readonly ring: Ring;
  private readonly fd: number;
  private readonly flag: Int32Array;
  private readonly buffer: MappedMemory = mapAnonymous(EVENTFD_BYTES, 'of an eventfd buffer');

  constructor(ring: Ring, fd: number, leave: SharedArrayBuffer) {
    this.ring = ring;
    this.fd = fd;
    this.flag = new Int32Array(leave);
  }

  /** Waits for the next word; one completion of KIND_WAKE follows. */
  arm(): void {
    const { address } = this.buffer;
    const lo = Number(BigInt.asIntN(32, address));
    const hi = Number(address >> 32n);
    this.ring.reserve(1);
    this.ring.sq.prepare(IORING_OP_READ, this.fd, 0, 0, lo, hi, EVENTFD_BYTES, 0, 0, userData(KIND_WAKE, 0, 0), 0);
  }

  get leave(): boolean {
    return Atomics.load(this.flag, 0) !== 0;
  }
}
