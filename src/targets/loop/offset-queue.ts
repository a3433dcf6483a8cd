/**
 * The queue of a loop device that begins somewhere in its file. A device that begins at byte 0, as nearly all do, is
 * served by LoopQueue, which adds nothing.
 */
import { UBLK_IO_OP_READ } from '../../native/uapi/ublk-io.ts';
import { sumHi, sumLo } from '../../native/words64.ts';
import type { IoRequest, QueueContext } from '../target.ts';
import { byteHi, FILE, LoopQueue, type LoopState } from './queue.ts';

export class OffsetLoopQueue extends LoopQueue {
  /** Where the device begins: the low word, from 0 to 2^32 - 1, and the high word. */
  private readonly offsetLo: number;
  private readonly offsetHi: number;

  constructor(context: QueueContext<LoopState>) {
    super(context);
    const { offset } = context.state;
    this.offsetLo = offset % 2 ** 32;
    this.offsetHi = Math.floor(offset / 2 ** 32);
  }

  protected override transfer(io: IoRequest, _part: number, left: number, rwFlags: number, token: number): void {
    const at = io.bytes - left;
    const startLo = io.startLo << 9;
    const partLo = sumLo(startLo, at);
    const lo = sumLo(partLo, this.offsetLo);
    const hi = sumHi(partLo, sumHi(startLo, byteHi(io), at), this.offsetLo) + this.offsetHi;
    if (io.op === UBLK_IO_OP_READ) io.read(FILE, lo, hi, at, left, token);
    else io.write(FILE, lo, hi, at, left, rwFlags, token);
  }

  protected override fallocate(io: IoRequest, _part: number, mode: number, token: number): void {
    const startLo = io.startLo << 9;
    const lo = sumLo(startLo, this.offsetLo);
    const hi = sumHi(startLo, byteHi(io), this.offsetLo) + this.offsetHi;
    io.fallocate(FILE, mode, lo, hi, io.sectors << 9, io.sectors >>> 23, token);
  }
}
