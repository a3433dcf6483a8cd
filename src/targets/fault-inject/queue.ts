import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import { encode } from '../../native/uapi/codec.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { kernel_timespec } from '../../native/uapi/io-uring-structs.ts';
import { wordsOf } from '../../native/words64.ts';
import type { IoRequest, TargetQueue } from '../target.ts';
import type { Faults } from './options.ts';

export interface FaultInjectState extends Faults {
  readonly depth: number;
}

const { ETIME } = ERRNO;

export class FaultInjectQueue implements TargetQueue {
  private readonly state: FaultInjectState;
  /** The delay as a __kernel_timespec. The kernel reads it when it takes the entry, so its memory must stay mapped. */
  private readonly delay: MappedMemory;
  private readonly delayLo: number;
  private readonly delayHi: number;

  constructor(state: FaultInjectState) {
    this.state = state;
    this.delay = mapAnonymous(kernel_timespec.size, 'of a delay');
    this.delay.bytes.set(encode(kernel_timespec, { tv_sec: state.seconds, tv_nsec: state.nanoseconds }));
    [this.delayLo, this.delayHi] = wordsOf(this.delay.address);
  }

  /**
   * Kills the server before the second fetch of a queue. A queue fetches its tags in order, so the driver then has the
   * command of exactly one tag.
   */
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
