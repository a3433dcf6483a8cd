/**
 * The queue of the target stripe. A request becomes one operation for each file that it touches: a plain read or write
 * where the file's part is one run of the request's data, and a vectored one where it consists of several chunks.
 *
 * The kernel copies the vectors of a slot and part when the operation is submitted. They are filled again only after
 * that operation has ended.
 */
import { UBLK_IO_OP_WRITE } from '../../native/uapi/ublk-io.ts';
import { sumHi, sumLo } from '../../native/words64.ts';
import { FileQueue, SECTOR } from '../file-queue.ts';
import type { Holes } from '../holes.ts';
import type { IoRequest, QueueContext } from '../target.ts';
import { StripeMap } from './stripe-map.ts';
import { maxRequestBytes, Vectors, vectorsPerFile } from './vectors.ts';

export interface StripeState {
  readonly files: number;
  /** The size of a chunk in bytes. */
  readonly chunk: number;
  readonly holes: Holes;
}

export class StripeQueue extends FileQueue {
  private readonly map: StripeMap;
  private readonly vectors: Vectors;

  constructor({ state, slots, maxIoBufBytes }: QueueContext<StripeState>) {
    const { files, chunk, holes } = state;
    super({ slots, files, holes, metadataSize: 0 });
    this.map = new StripeMap(files, Math.log2(chunk / SECTOR));
    const largest = Math.min(maxIoBufBytes, maxRequestBytes(files, chunk));
    this.vectors = new Vectors(slots, files, vectorsPerFile(largest, files, chunk));
  }

  close(): void {
    this.vectors.close();
  }

  protected override divide(io: IoRequest): number {
    return this.map.split(io.startLo, io.startHi, io.sectors);
  }

  protected override bytesOf(_io: IoRequest, part: number): number {
    return this.map.sectors[part]! * SECTOR;
  }

  protected override transfer(io: IoRequest, part: number, left: number, rwFlags: number, token: number): void {
    const map = this.map;
    const skip = map.sectors[part]! - left / SECTOR;
    const startLo = map.offsetLo[part]!;
    const lo = sumLo(startLo, skip * SECTOR);
    const hi = sumHi(startLo, map.offsetHi[part]!, skip * SECTOR);
    const file = map.file[part]!;
    const write = io.op === UBLK_IO_OP_WRITE;
    if (map.runAt(part, skip) * SECTOR === left) {
      const at = map.sectorAt(part, skip) * SECTOR;
      if (write) io.write(file, lo, hi, at, left, rwFlags, token);
      else io.read(file, lo, hi, at, left, token);
      return;
    }
    const vectors = this.vectors;
    const at = vectors.at(io.slot, part);
    const count = this.fill(io, part, skip, at);
    const vecLo = vectors.addressLo(at);
    const vecHi = vectors.addressHi(at);
    if (write) io.writev(file, lo, hi, vecLo, vecHi, count, rwFlags, token);
    else io.readv(file, lo, hi, vecLo, vecHi, count, token);
  }

  protected override fallocate(io: IoRequest, part: number, mode: number, token: number): void {
    const map = this.map;
    const sectors = map.sectors[part]!;
    io.fallocate(map.file[part]!, mode, map.offsetLo[part]!, map.offsetHi[part]!, sectors << 9, sectors >>> 23, token);
  }

  /** Writes one iovec per chunk, beginning at sector `skip` of the part, and returns their number. */
  private fill(io: IoRequest, part: number, skip: number, at: number): number {
    const map = this.map;
    const total = map.sectors[part]!;
    const { dataLo, dataHi } = io;
    let count = 0;
    for (let done = skip; done < total; count++) {
      const run = map.runAt(part, done);
      const offset = map.sectorAt(part, done) * SECTOR;
      this.vectors.set(at, count, sumLo(dataLo, offset), sumHi(dataLo, dataHi, offset), run * SECTOR);
      done += run;
    }
    return count;
  }
}
