/**
 * Each request becomes the same operation on the file: one, or with integrity metadata two at once, the other on the
 * second file. A request is done when all its operations are, with the first error if there was one.
 *
 * Never a short success: the driver takes any result of a write, and of a read without a copy, for the whole request.
 * What an operation left undone is asked for again, and what cannot be had (a read beyond the end of a file that was cut
 * short) is EIO.
 */
import { RWF_DSYNC } from '../../native/uapi/fs.ts';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_F_INTEGRITY,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../native/uapi/ublk-io.ts';
import { type Holes, holeMode, secondMode } from '../holes.ts';
import type { IoRequest, QueueContext, TargetQueue } from '../target.ts';

export interface LoopState {
  readonly holes: Holes;
}

const EIO = 5;
const EINVAL = 22;
const EOPNOTSUPP = 95;

const SECTOR = 512;

const DATA_FILE = 0;
const METADATA_FILE = 1;

/** Tokens. */
const DATA = 0;
const METADATA = 1;
const HOLE = 2;
const ALLOCATE = 3;
const SYNC = 4;

export class LoopQueue implements TargetQueue {
  private readonly holes: Holes;
  private readonly metadataSize: number;
  /** Bytes of data done, for each slot. */
  private readonly done: Int32Array;

  constructor(context: QueueContext<LoopState>) {
    this.holes = context.state.holes;
    this.metadataSize = context.integrity?.metadataSize ?? 0;
    this.done = new Int32Array(context.slots);
  }

  queueIo(io: IoRequest): void {
    switch (io.op) {
      case UBLK_IO_OP_READ:
      case UBLK_IO_OP_WRITE:
        this.done[io.slot] = 0;
        if ((io.flags & UBLK_IO_F_INTEGRITY) !== 0) this.transferMetadata(io);
        this.transfer(io, 0);
        return;
      case UBLK_IO_OP_FLUSH:
        this.sync(io);
        return;
      case UBLK_IO_OP_DISCARD:
      case UBLK_IO_OP_WRITE_ZEROES:
        this.makeHole(io);
        return;
      default:
        io.complete(-EINVAL);
    }
  }

  operationDone(io: IoRequest, token: number, result: number): void {
    let outcome = result;
    if (token === DATA && result >= 0) {
      const done = this.done[io.slot]! + result;
      if (done < io.bytes) {
        if (result >= SECTOR) {
          // Direct I/O begins at sectors: one that was done in part is done again.
          this.done[io.slot] = done & -SECTOR;
          this.transfer(io, done & -SECTOR);
          return;
        }
        outcome = -EIO;
      }
    } else if (token === METADATA && result >= 0 && result < this.metadataBytes(io)) outcome = -EIO;
    if (outcome < 0 && io.result === 0) io.result = outcome;
    if (io.pending > 0) return;
    if (io.result < 0) io.complete(io.result);
    else this.next(io, token);
  }

  /** All went well: what is still to be done after it, if anything is. */
  private next(io: IoRequest, token: number): void {
    const second = token === HOLE ? secondMode(this.holes, io.op, io.flags) : 0;
    if (second !== 0) this.fallocate(io, second, ALLOCATE);
    else if ((token === HOLE || token === ALLOCATE) && (io.flags & UBLK_IO_F_FUA) !== 0) io.fsync(DATA_FILE, SYNC);
    else io.complete(io.bytes);
  }

  /** Data from byte `at` of the request on. */
  private transfer(io: IoRequest, at: number): void {
    const lo = ((io.startLo << 9) >>> 0) + at;
    const hi = ((io.startHi << 9) | (io.startLo >>> 23)) + (lo > 0xffffffff ? 1 : 0);
    const length = io.bytes - at;
    if (io.op === UBLK_IO_OP_READ) io.read(DATA_FILE, lo | 0, hi, at, length, DATA);
    else {
      const rwFlags = (io.flags & UBLK_IO_F_FUA) === 0 ? 0 : RWF_DSYNC;
      io.write(DATA_FILE, lo | 0, hi, at, length, rwFlags, DATA);
    }
  }

  private transferMetadata(io: IoRequest): void {
    // Below 2^53: a sector number has 55 bits at most, of which no file's size has more than 54 - 9.
    const offset = ((io.startLo >>> 0) + io.startHi * 2 ** 32) * this.metadataSize;
    const lo = offset | 0;
    const hi = (offset / 2 ** 32) | 0;
    const length = this.metadataBytes(io);
    if (io.op === UBLK_IO_OP_READ) io.readIntegrity(METADATA_FILE, lo, hi, length, METADATA);
    else io.writeIntegrity(METADATA_FILE, lo, hi, length, METADATA);
  }

  private metadataBytes(io: IoRequest): number {
    return io.sectors * this.metadataSize;
  }

  private sync(io: IoRequest): void {
    io.fsync(DATA_FILE, SYNC);
    if (this.metadataSize > 0) io.fsync(METADATA_FILE, SYNC);
  }

  private makeHole(io: IoRequest): void {
    const mode = holeMode(this.holes, io.op, io.flags);
    if (mode === 0) io.complete(-EOPNOTSUPP);
    else this.fallocate(io, mode, HOLE);
  }

  private fallocate(io: IoRequest, mode: number, token: number): void {
    const hi = (io.startHi << 9) | (io.startLo >>> 23);
    io.fallocate(DATA_FILE, mode, io.startLo << 9, hi, io.sectors << 9, io.sectors >>> 23, token);
  }
}
