/**
 * Requests whose pages the driver found in a registered buffer (UBLK_IO_F_SHMEM_ZC). Nothing was copied: the data is in
 * this server's own mapping of the buffer. All other requests go by the device's data path, and so does integrity metadata.
 *
 * A request can come between the moment when the kernel registers a buffer and the moment when this server publishes
 * its index. Such a request is held until the main thread has published the buffer and woken this thread. It fails with
 * EIO when it has been held for 5 to 10 seconds: one timer runs for all requests that are held, and one that has seen it
 * expire twice is overdue.
 */
import { ERRNO } from '../../native/uapi/errno.ts';
import { kernel_timespec } from '../../native/uapi/io-uring-structs.ts';
import { encode } from '../../native/uapi/codec.ts';
import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import type { Ring } from '../../native/ring/ring.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';
import type { StatsWriter } from '../../stats/writer.ts';
import { LOST, type ShmemTable } from '../shmem-table.ts';
import type { Slots } from '../slots.ts';
import { addTimeout } from '../timeout.ts';
import { KIND_DEADLINE, userData } from '../user-data.ts';
import type { PathRequest } from './data-path.ts';

const TICK_SECONDS = 5n;
const { EIO } = ERRNO;

/** The properties of a request that decide whether it has matched. */
export interface MatchedRequest extends PathRequest {
  /** Index of the registered buffer. */
  readonly matchedIndex: number;
  /** Byte offset in the registered buffer. */
  readonly matchedOffset: number;
}

interface HeldRequest {
  readonly slot: number;
  readonly index: number;
  /** Whether the timer has expired since the request was held. */
  readonly isLate: boolean;
}

export class ShmemOverlay {
  private readonly table: ShmemTable;
  private readonly slots: Slots;
  private readonly ring: Ring;
  /** The generation of each index when this thread last had a request for it; 0: it never has. */
  private readonly known: Int32Array;
  private held: HeldRequest[] = [];
  /** Whether a KIND_DEADLINE is under way. */
  private isTimed = false;
  private deadline: MappedMemory | undefined;

  constructor(table: ShmemTable, ring: Ring, slots: Slots, indexes: number) {
    this.table = table;
    this.slots = slots;
    this.ring = ring;
    this.known = new Int32Array(indexes);
  }

  /**
   * Says in the slot where the data is. false: the target must not have the request, as its index is not known yet and
   * it is held, or its index is lost and it has failed.
   */
  arrive(io: MatchedRequest, stats: StatsWriter): boolean {
    const index = io.matchedIndex;
    const known = this.known[index] ?? 0;
    if ((known === 0 || !this.table.is(index, known)) && !this.learn(io, index)) return false;
    stats.hit(index, io.bytes, this.table.part(index, io.matchedOffset));
    const { table, slots } = this;
    const slot = io.place;
    const lo = table.addressLo(index);
    const offset = io.matchedOffset >>> 0;
    slots.dataLo[slot] = sumLo(lo, offset);
    slots.dataHi[slot] = sumHi(lo, table.addressHi(index), offset);
    slots.dataIndex[slot] = -1;
    return true;
  }

  /** The target has completed a request that matched: the slot's next one may not. */
  depart(slot: number): void {
    const slots = this.slots;
    slots.dataLo[slot] = slots.bufferLo[slot]!;
    slots.dataHi[slot] = slots.bufferHi[slot]!;
    slots.dataIndex[slot] = slots.bufferIndex[slot]!;
  }

  /** Hands out the requests that were held and whose buffer is known by now, to be tried again. */
  takeKnown(): number[] {
    return this.take(({ index }) => this.table.generation(index) !== 0);
  }

  /** A KIND_DEADLINE has come. Hands out the requests that have been held for too long. */
  takeOverdue(): number[] {
    this.isTimed = false;
    const overdue = this.take(({ isLate }) => isLate);
    this.held = this.held.map((request) => ({ ...request, isLate: true }));
    this.time();
    return overdue;
  }

  /** Called for a buffer's first request on this thread. */
  private learn(io: MatchedRequest, index: number): boolean {
    const generation = this.table.generation(index);
    if (generation === 0) {
      this.hold(io.place, index);
      return false;
    }
    if (generation === LOST) {
      io.complete(-EIO);
      return false;
    }
    this.known[index] = generation;
    return true;
  }

  private hold(slot: number, index: number): void {
    this.held.push({ slot, index, isLate: false });
    this.time();
  }

  private take(isTaken: (request: HeldRequest) => boolean): number[] {
    const taken = this.held.filter(isTaken);
    this.held = this.held.filter((request) => !taken.includes(request));
    return taken.map(({ slot }) => slot);
  }

  /** Sees to it that a deadline is under way while requests are held. */
  private time(): void {
    if (this.isTimed || this.held.length === 0) return;
    this.isTimed = true;
    this.deadline ??= deadlineTimespec();
    this.ring.reserve(1);
    const [lo, hi] = wordsOf(this.deadline.address);
    addTimeout(this.ring.sq, lo, hi, userData(KIND_DEADLINE, 0, 0));
  }
}

function deadlineTimespec(): MappedMemory {
  const memory = mapAnonymous(kernel_timespec.size, 'of a deadline');
  memory.bytes.set(encode(kernel_timespec, { tv_sec: TICK_SECONDS }));
  return memory;
}
