/**
 * Says which part of a request goes to which file. Chunk c of the device is chunk c / files of file c % files; a *row*
 * is one chunk of every file. The sectors of a request that go to one file are contiguous in that file, so one
 * operation per file is enough.
 *
 * Hot path: `split` leaves its answer in typed arrays. 64-bit positions are doubles inside `split` only.
 */
export class StripeMap {
  /** The file of each part of the request that was split last, in the order in which the request touches the files. */
  readonly file: Int32Array;
  /** The number of sectors of each part. */
  readonly sectors: Int32Array;
  /** The byte position in its file at which each part begins. */
  readonly offsetLo: Int32Array;
  readonly offsetHi: Int32Array;

  private readonly files: number;
  private readonly shift: number;
  private readonly chunk: number;
  /** The sectors of the first chunk that lie before the request. */
  private within = 0;

  /** `chunkShift` is the binary logarithm of the sectors per chunk. */
  constructor(files: number, chunkShift: number) {
    this.files = files;
    this.shift = chunkShift;
    this.chunk = 1 << chunkShift;
    this.file = new Int32Array(files);
    this.sectors = new Int32Array(files);
    this.offsetLo = new Int32Array(files);
    this.offsetHi = new Int32Array(files);
  }

  /** Splits a request and returns the number of parts. */
  split(startLo: number, startHi: number, sectors: number): number {
    const files = this.files;
    const chunk = this.chunk;
    const start = (startLo >>> 0) + startHi * 2 ** 32;
    const row = Math.floor(start / (files * chunk));
    const rest = start - row * files * chunk;
    const within = rest & (chunk - 1);
    const first = rest >>> this.shift;
    const touched = (within + sectors + chunk - 1) >>> this.shift;
    const parts = Math.min(files, touched);
    this.within = within;
    for (let part = 0; part < parts; part++) {
      const wrapped = first + part >= files;
      const offset = ((wrapped ? row + 1 : row) * chunk + (part === 0 ? within : 0)) * 512;
      this.file[part] = wrapped ? first + part - files : first + part;
      this.offsetLo[part] = offset | 0;
      this.offsetHi[part] = Math.floor(offset / 2 ** 32);
      this.sectors[part] = Math.ceil((touched - part) / files) << this.shift;
    }
    // The first and the last chunk may be touched in part only, and were counted as whole chunks.
    this.sectors[0]! -= within;
    this.sectors[(touched - 1) % files]! -= (touched << this.shift) - within - sectors;
    return parts;
  }

  /** The position in the request, in sectors, of sector `skip` of a part. */
  sectorAt(part: number, skip: number): number {
    const from = this.begin(part) + skip;
    const row = from >>> this.shift;
    return (((row * this.files + part) << this.shift) | (from & (this.chunk - 1))) - this.within;
  }

  /**
   * The number of sectors of a part, beginning with sector `skip`, that are contiguous in the request: at most to the
   * end of the chunk.
   */
  runAt(part: number, skip: number): number {
    const left = this.sectors[part]! - skip;
    // With one file, all sectors are contiguous.
    if (this.files === 1) return left;
    return Math.min(left, this.chunk - ((this.begin(part) + skip) & (this.chunk - 1)));
  }

  private begin(part: number): number {
    return part === 0 ? this.within : 0;
  }
}
