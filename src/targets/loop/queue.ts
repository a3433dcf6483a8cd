/** The queue of the target loop: each request becomes the same operation on the file, at the same position. */
import { UBLK_IO_OP_READ } from '../../native/uapi/ublk-io.ts';
import { sumHi, sumLo } from '../../native/words64.ts';
import { FileQueue } from '../file-queue.ts';
import type { Holes } from '../holes.ts';
import type { IoRequest, QueueContext } from '../target.ts';

export interface LoopState {
  readonly holes: Holes;
  /** Where in the file the device begins, in bytes. */
  readonly offset: number;
}

export const FILE = 0;

export class LoopQueue extends FileQueue {
  constructor({ state, slots, integrity }: QueueContext<LoopState>) {
    super({ slots, files: 1, holes: state.holes, metadataSize: integrity?.metadataSize ?? 0 });
  }

  protected override divide(): number {
    return 1;
  }

  /** Starts the one part without a loop, which took 35 instructions per request. */
  protected override transferParts(io: IoRequest): void {
    this.transferPart(io, 0);
  }

  protected override bytesOf(io: IoRequest): number {
    return io.bytes;
  }

  protected override transfer(io: IoRequest, _part: number, left: number, rwFlags: number, token: number): void {
    const at = io.bytes - left;
    const startLo = io.startLo << 9;
    const lo = sumLo(startLo, at);
    const hi = sumHi(startLo, byteHi(io), at);
    if (io.op === UBLK_IO_OP_READ) io.read(FILE, lo, hi, at, left, token);
    else io.write(FILE, lo, hi, at, left, rwFlags, token);
  }

  protected override fallocate(io: IoRequest, _part: number, mode: number, token: number): void {
    io.fallocate(FILE, mode, io.startLo << 9, byteHi(io), io.sectors << 9, io.sectors >>> 23, token);
  }
}

/** The high word of the byte position at which the request begins. */
export function byteHi(io: IoRequest): number {
  return (io.startHi << 9) | (io.startLo >>> 23);
}
