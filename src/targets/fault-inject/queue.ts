import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import { encode } from '../../native/uapi/codec.ts';
import { kernel_timespec } from '../../native/uapi/io-uring-structs.ts';
import type { IoRequest, TargetQueue } from '../target.ts';
import type { Faults } from './options.ts';

export interface FaultInjectState extends Faults {
  readonly depth: number;
}

const ETIME = 62;

export class FaultInjectQueue implements TargetQueue {
  private readonly state: FaultInjectState;
  /** The kernel reads the time when it takes the entry, not when we make it: it must be in memory that stays. */
  private readonly delay: MappedMemory;
  private readonly delayLo: number;
  private readonly delayHi: number;

  constructor(state: FaultInjectState) {
    this.state = state;
    this.delay = mapAnonymous(kernel_timespec.size, 'of a delay');
    this.delay.bytes.set(encode(kernel_timespec, { tv_sec: state.seconds, tv_nsec: state.nanoseconds }));
    this.delayLo = Number(BigInt.asIntN(32, this.delay.address));
    this.delayHi = Number(this.delay.address >> 32n);
  }

  /** A queue fetches its tags in order: before the second, one is in the kernel's hands and the others are not. */
  beforeFetch(slot: number): void {
    if (this.state.dieDuringFetch && slot % this.state.depth === 1) process.kill(process.pid, 'SIGKILL');
  }

  queueIo(io: IoRequest): void {
    io.timeout(this.delayLo, this.delayHi, 0);
  }

  operationDone(io: IoRequest, _token: number, result: number): void {
    io.complete(result === -ETIME ? io.bytes : result);
  }
}
