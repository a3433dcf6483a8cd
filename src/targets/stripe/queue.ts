/**
 * A request becomes one operation for each file that it touches, all at once; it is done when all are, with the first
 * error if there was one. As in loop/queue.ts nothing is ever a short success: what an operation left undone is asked
 * for again.
 *
 * The vectors of a slot and part are the kernel's from the operation's submission on (it copies them); they are filled
 * anew only when that operation has ended.
 */
import { RWF_DSYNC } from '../../native/uapi/fs.ts';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../native/uapi/ublk-io.ts';
import { type Holes, holeMode, secondMode } from '../holes.ts';
import type { IoRequest, QueueContext, TargetQueue } from '../target.ts';
import { StripeMap } from './stripe-map.ts';
import { maxRequestBytes, Vectors, vectorsPerFile } from './vectors.ts';

export interface StripeState {
  readonly files: number;
  /** Bytes. */
  readonly chunk: number;
  readonly holes: Holes;
}

// Constants of this module: an import is read through a cell and checked every time (docs/decisions/0005).
const OP_READ = UBLK_IO_OP_READ;
const OP_WRITE = UBLK_IO_OP_WRITE;
const F_FUA = UBLK_IO_F_FUA;

const EIO = 5;
const EINVAL = 22;
const EOPNOTSUPP = 95;
const SECTOR = 512;

/** Tokens: what it is, and in the low bits the part (of a transfer) or the file. */
const TRANSFER = 0 << 5;
const HOLE = 1 << 5;
const ALLOCATE = 2 << 5;
const SYNC = 3 << 5;
const WHICH = (1 << 5) - 1;

export class StripeQueue implements TargetQueue {
  private readonly files: number;
  private readonly holes: Holes;
  private readonly map: StripeMap;
  private readonly vectors: Vectors;
  /** Bytes not done, for each slot and part. */
  private readonly left: Int32Array;

  constructor({ state, slots, maxIoBufBytes }: QueueContext<StripeState>) {
    const { files, chunk, holes } = state;
    this.files = files;
    this.holes = holes;
    this.map = new StripeMap(files, Math.log2(chunk / SECTOR));
    const largest = Math.min(maxIoBufBytes, maxRequestBytes(files, chunk));
    this.vectors = new Vectors(slots, files, vectorsPerFile(largest, files, chunk));
    this.left = new Int32Array(slots * files);
  }

  queueIo(io: IoRequest): void {
    switch (io.op) {
      case OP_READ:
      case OP_WRITE:
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
    const kind = token & ~WHICH;
    let outcome = result;
    if (kind === TRANSFER && result >= 0) {
      const part = token & WHICH;
      const at = io.slot * this.files + part;
      const left = this.left[at]! - result;
      if (left > 0) {
        if (result >= SECTOR && io.result === 0) {
          // Direct I/O begins at sectors: one that was done in part is done again.
          this.left[at] = (left + SECTOR - 1) & -SECTOR;
          this.map.split(io.startLo, io.startHi, io.sectors);
          this.transfer(io, part);
          return;
        }
        outcome = -EIO;
      }
    }
    if (outcome < 0 && io.result === 0) io.result = outcome;
    if (io.pending > 0) return;
    if (io.result < 0) io.complete(io.result);
    else this.next(io, kind);
  }

  /** All went well: what is still to be done after it, if anything is. */
  private next(io: IoRequest, kind: number): void {
    const second = kind === HOLE ? secondMode(this.holes, io.op, io.flags) : 0;
    if (second !== 0) this.fallocateAll(io, second, ALLOCATE);
    else if ((kind === HOLE || kind === ALLOCATE) && (io.flags & F_FUA) !== 0) this.syncAll(io);
    else io.complete(io.bytes);
  }

  private transferAll(io: IoRequest): void {
    const parts = this.map.split(io.startLo, io.startHi, io.sectors);
    const base = io.slot * this.files;
    for (let part = 0; part < parts; part++) {
      this.left[base + part] = this.map.sectors[part]! * SECTOR;
      this.transfer(io, part);
    }
  }

  /** What is left of a part of the request that the map has split. */
  private transfer(io: IoRequest, part: number): void {
    const map = this.map;
    const left = this.left[io.slot * this.files + part]!;
    const skip = map.sectors[part]! - left / SECTOR;
    const lo = (map.offsetLo[part]! >>> 0) + skip * SECTOR;
    const hi = map.offsetHi[part]! + (lo > 0xffffffff ? 1 : 0);
    const file = map.file[part]!;
    const write = io.op === OP_WRITE;
    const rwFlags = (io.flags & F_FUA) === 0 ? 0 : RWF_DSYNC;
    const token = TRANSFER | part;
    if (map.runAt(part, skip) * SECTOR === left) {
      const at = map.sectorAt(part, skip) * SECTOR;
      if (write) io.write(file, lo | 0, hi, at, left, rwFlags, token);
      else io.read(file, lo | 0, hi, at, left, token);
      return;
    }
    const vectors = this.vectors;
    const at = vectors.at(io.slot, part);
    const count = this.fill(io, part, skip, at);
    const vecLo = vectors.addressLo(at);
    const vecHi = vectors.addressHi(at);
    if (write) io.writev(file, lo | 0, hi, vecLo, vecHi, count, rwFlags, token);
    else io.readv(file, lo | 0, hi, vecLo, vecHi, count, token);
  }

  /** One iovec a chunk, from sector `skip` of the part on. */
  private fill(io: IoRequest, part: number, skip: number, at: number): number {
    const map = this.map;
    const total = map.sectors[part]!;
    let count = 0;
    for (let done = skip; done < total; count++) {
      const run = map.runAt(part, done);
      const lo = (io.dataLo >>> 0) + map.sectorAt(part, done) * SECTOR;
      const hi = io.dataHi + (lo > 0xffffffff ? 1 : 0);
      this.vectors.set(at, count, lo | 0, hi, run * SECTOR);
      done += run;
    }
    return count;
  }

  private syncAll(io: IoRequest): void {
    for (let file = 0; file < this.files; file++) io.fsync(file, SYNC | file);
  }

  private makeHoles(io: IoRequest): void {
    const mode = holeMode(this.holes, io.op, io.flags);
    if (mode === 0) io.complete(-EOPNOTSUPP);
    else this.fallocateAll(io, mode, HOLE);
  }

  private fallocateAll(io: IoRequest, mode: number, kind: number): void {
    const map = this.map;
    const parts = map.split(io.startLo, io.startHi, io.sectors);
    for (let part = 0; part < parts; part++) {
      const sectors = map.sectors[part]!;
      const lo = map.offsetLo[part]!;
      io.fallocate(map.file[part]!, mode, lo, map.offsetHi[part]!, sectors << 9, sectors >>> 23, kind | part);
    }
  }
}
