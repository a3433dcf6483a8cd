/**
 * Requests whose pages the driver found in a registered buffer (UBLK_IO_F_SHMEM_ZC): nothing was copied, and the data
 * is in this process too, at the buffer's own mapping. Lies over whichever path the device has for the rest.
 *
 * A request can come in the instant between the kernel's registration and our publishing of the index: it is held
 * until the main thread has published and woken this thread, and fails with EIO only if that takes seconds.
 */
import { IORING_OP_TIMEOUT } from '../../native/uapi/io-uring-opcodes.ts';
import { kernel_timespec } from '../../native/uapi/io-uring-structs.ts';
import { encode } from '../../native/uapi/codec.ts';
import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import type { Ring } from '../../native/ring/ring.ts';
import type { StatsWriter } from '../../stats/writer.ts';
import type { Request } from '../request.ts';
import { LOST, type ShmemTable } from '../shmem-table.ts';
import { KIND_DEADLINE, userData } from '../user-data.ts';

const HOLD_SECONDS = 10n;
const EIO = 5;

export class ShmemOverlay {
  private readonly table: ShmemTable;
  private readonly ring: Ring;
  /** The generation that each index had when this thread counted it last; 0: it has not. */
  private readonly counted: Int32Array;
  private readonly held: number[] = [];
  private deadline: MappedMemory | undefined;

  constructor(table: ShmemTable, ring: Ring, indexes: number) {
    this.table = table;
    this.ring = ring;
    this.counted = new Int32Array(indexes);
  }

  /** false: the index is not known yet, and the request is held; or it is lost, and the request has failed. */
  arrive(io: Request, stats: StatsWriter): boolean {
    const index = io.matchedIndex;
    const known = this.counted[index] ?? 0;
    if ((known === 0 || !this.table.is(index, known)) && !this.learn(io, index, stats)) return false;
    stats.hit(index, io.bytes, this.table.part(index, io.matchedOffset));
    this.locate(io);
    return true;
  }

  /** Where its data is, once its index was published: it stays so until the request is committed. */
  locate(io: Request): void {
    const index = io.matchedIndex;
    const lo = (this.table.addressLo(index) >>> 0) + (io.matchedOffset >>> 0);
    io.locate(lo | 0, this.table.addressHi(index) + (lo > 0xffffffff ? 1 : 0), -1);
  }

  /** The requests that were held, to be tried again: the table has changed. */
  takeHeld(): number[] {
    return this.held.splice(0);
  }

  /** A buffer's first request on this thread. */
  private learn(io: Request, index: number, stats: StatsWriter): boolean {
    const generation = this.table.generation(index);
    if (generation === 0) {
      this.hold(io.slot);
      return false;
    }
    if (generation === LOST) {
      io.open = true;
      io.complete(-EIO);
      return false;
    }
    this.counted[index] = generation;
    stats.forget(index);
    return true;
  }

  private hold(slot: number): void {
    this.held.push(slot);
    if (this.held.length > 1) return;
    this.deadline ??= deadlineTimespec();
    const { address } = this.deadline;
    this.ring.reserve(1);
    this.ring.sq.prepare(
      IORING_OP_TIMEOUT,
      -1,
      0,
      0,
      Number(BigInt.asIntN(32, address)),
      Number(address >> 32n),
      1,
      0,
      0,
      userData(KIND_DEADLINE, 0, 0),
      0,
    );
  }
}

function deadlineTimespec(): MappedMemory {
  const memory = mapAnonymous(kernel_timespec.size, 'of a deadline');
  memory.bytes.set(encode(kernel_timespec, { tv_sec: HOLD_SECONDS }));
  return memory;
}
