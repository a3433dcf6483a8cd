/**
 * A queue over backing files. A request becomes parts, each in one file: one part where one file holds the device
 * (loop), up to one part per file where the device is spread over several (stripe). Subclasses say only how a request
 * is divided and where each part lies. This class does the rest: the remainder of a short operation is started again, a
 * FUA write is synced, and DISCARD and WRITE_ZEROES become holes.
 *
 * Contract
 * - All parts of a request are under way at once. The request is done when all operations are, with the first error if
 *   there was one.
 * - A success is never short, because the driver takes any result of a write, and of a read without a copy, for the
 *   whole request. A read beyond the end of a file that was cut short fails with EIO.
 * - This is the hot path: nothing here allocates.
 */
import { ERRNO } from '../native/uapi/errno.ts';
import { RWF_DSYNC } from '../native/uapi/fs.ts';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_F_INTEGRITY,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../native/uapi/ublk-io.ts';
import { type Holes, holeMode, secondMode } from './holes.ts';
import type { IoRequest, TargetQueue } from './target.ts';

const { EINTR, EINVAL, EIO, EOPNOTSUPP } = ERRNO;

export const SECTOR = 512;

/** A token holds the kind of operation and, in the low bits, the part (of data or a hole) or the file (of a sync). */
const DATA = 0 << 5;
const METADATA = 1 << 5;
const HOLE = 2 << 5;
const ALLOCATE = 3 << 5;
const SYNC = 4 << 5;
/** The bits of a token that hold the part or file: 32 values. */
const WHICH = (1 << 5) - 1;

export interface FileQueueOptions {
  /** The number of slots: every slot is below it. */
  readonly slots: number;
  /** The number of files that hold the device's data. A request has at most one part per file. */
  readonly files: number;
  readonly holes: Holes;
  /**
   * Bytes of integrity metadata per sector, 0 without integrity. The metadata is in the file after those of the data.
   */
  readonly metadataSize: number;
}

const rwFlagsOf = (io: IoRequest): number => ((io.flags & UBLK_IO_F_FUA) === 0 ? 0 : RWF_DSYNC);

export abstract class FileQueue implements TargetQueue {
  protected readonly files: number;
  private readonly holes: Holes;
  private readonly metadataSize: number;
  /** Bytes still to be transferred, for each slot and part. */
  private readonly left: Int32Array;

  constructor({ slots, files, holes, metadataSize }: FileQueueOptions) {
    this.files = files;
    this.holes = holes;
    this.metadataSize = metadataSize;
    this.left = new Int32Array(slots * files);
  }

  /**
   * Divides the request and returns the number of parts. The other functions answer for the request that was divided
   * last.
   */
  protected abstract divide(io: IoRequest): number;

  /** The number of bytes of a part. */
  protected abstract bytesOf(io: IoRequest, part: number): number;

  /** Starts the read or write of the last `left` bytes of a part. */
  protected abstract transfer(io: IoRequest, part: number, left: number, rwFlags: number, token: number): void;

  /** Starts fallocate with `mode` for a whole part. Its length in bytes may not fit in 32 bits. */
  protected abstract fallocate(io: IoRequest, part: number, mode: number, token: number): void;

  queueIo(io: IoRequest): void {
    switch (io.op) {
      case UBLK_IO_OP_READ:
      case UBLK_IO_OP_WRITE:
        this.transferAll(io);
        return;
      case UBLK_IO_OP_FLUSH:
        this.syncAll(io);
        return;
      case UBLK_IO_OP_DISCARD:
      case UBLK_IO_OP_WRITE_ZEROES:
        this.makeHoles(io);
        return;
      default:
        io.complete(-EINVAL);
    }
  }

  operationDone(io: IoRequest, token: number, result: number): void {
    let outcome = result;
    if (token < METADATA && result >= 0) {
      const at = io.slot * this.files + token;
      const left = this.left[at]! - result;
      if (left > 0) {
        if (result >= SECTOR && io.result === 0) {
          this.transferRest(io, token, at, left);
          return;
        }
        outcome = -EIO;
      }
    } else if (token === METADATA && result >= 0 && result < this.metadataBytes(io)) outcome = -EIO;
    if (outcome < 0 && io.result === 0) {
      if (outcome === -EINTR) {
        this.again(io, token & ~WHICH, token & WHICH);
        return;
      }
      io.result = outcome;
    }
    if (io.pending > 0) return;
    if (io.result < 0) io.complete(io.result);
    else if (token < HOLE) io.complete(io.bytes);
    else this.next(io, token & ~WHICH);
  }

  /**
   * Starts an operation once more that a signal has interrupted: one that stops the server or freezes its control group also
   * reaches the kernel's workers, and some file systems (FUSE) give up then. The client has not asked for that.
   */
  private again(io: IoRequest, kind: number, which: number): void {
    switch (kind) {
      case DATA: {
        const at = io.slot * this.files + which;
        this.transferRest(io, which, at, this.left[at]!);
        return;
      }
      case METADATA:
        this.transferMetadata(io);
        return;
      case SYNC:
        io.fsync(which, SYNC | which);
        return;
      default: {
        const mode = (kind === HOLE ? holeMode : secondMode)(this.holes, io.op, io.flags);
        this.divide(io);
        this.fallocate(io, which, mode, kind | which);
      }
    }
  }

  /** All went well: starts what is still to be done after a hole or a sync, if anything is. */
  private next(io: IoRequest, kind: number): void {
    const second = kind === HOLE ? secondMode(this.holes, io.op, io.flags) : 0;
    if (second !== 0) this.fallocateAll(io, second, ALLOCATE);
    else if (kind !== SYNC && (io.flags & UBLK_IO_F_FUA) !== 0) this.syncAll(io);
    else io.complete(io.bytes);
  }

  private transferAll(io: IoRequest): void {
    if ((io.flags & UBLK_IO_F_INTEGRITY) !== 0) this.transferMetadata(io);
    this.transferParts(io, this.divide(io));
  }

  /** Calls `transferPart` for each part of a READ or WRITE. A queue that has only one overrides it without the loop. */
  protected transferParts(io: IoRequest, parts: number): void {
    for (let part = 0; part < parts; part++) this.transferPart(io, part);
  }

  protected transferPart(io: IoRequest, part: number): void {
    const bytes = this.bytesOf(io, part);
    this.left[io.slot * this.files + part] = bytes;
    this.transfer(io, part, bytes, rwFlagsOf(io), DATA | part);
  }

  /**
   * Transfers the rest of a part. Direct I/O begins at a sector, so a sector that was transferred in part is repeated.
   */
  private transferRest(io: IoRequest, part: number, at: number, left: number): void {
    const again = (left + SECTOR - 1) & -SECTOR;
    this.left[at] = again;
    this.divide(io);
    this.transfer(io, part, again, rwFlagsOf(io), DATA | part);
  }

  private transferMetadata(io: IoRequest): void {
    // The double is exact: a sector number has 55 bits at most, and no file has more than 2^45 sectors.
    const offset = ((io.startLo >>> 0) + io.startHi * 2 ** 32) * this.metadataSize;
    const lo = offset | 0;
    const hi = (offset / 2 ** 32) | 0;
    const length = this.metadataBytes(io);
    if (io.op === UBLK_IO_OP_READ) io.readIntegrity(this.files, lo, hi, length, METADATA);
    else io.writeIntegrity(this.files, lo, hi, length, METADATA);
  }

  private metadataBytes(io: IoRequest): number {
    return io.sectors * this.metadataSize;
  }

  private syncAll(io: IoRequest): void {
    const files = this.metadataSize > 0 ? this.files + 1 : this.files;
    for (let file = 0; file < files; file++) io.fsync(file, SYNC | file);
  }

  private makeHoles(io: IoRequest): void {
    const mode = holeMode(this.holes, io.op, io.flags);
    if (mode === 0) io.complete(-EOPNOTSUPP);
    else this.fallocateAll(io, mode, HOLE);
  }

  private fallocateAll(io: IoRequest, mode: number, kind: number): void {
    const parts = this.divide(io);
    for (let part = 0; part < parts; part++) this.fallocate(io, part, mode, kind | part);
  }
}
