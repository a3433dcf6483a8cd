/**
 * Which part of a request goes to which file. Chunk c of the device is in file c % files, at chunk c / files of it; a
 * *row* is one chunk of every file. The sectors of a request in one file follow each other there, so that one operation
 * a file does.
 *
 * Hot path: `split` leaves its answer in typed arrays; positions of 64 bits are doubles inside it only.
 */
export class StripeMap {
  /** The parts of the request that was split last, in the order in which it touches the files: which file, ... */
  readonly file: Int32Array;
  /** ... sectors there, ... */
  readonly sectors: Int32Array;
  /** ... and the byte in the file where they begin. */
  readonly offsetLo: Int32Array;
  readonly offsetHi: Int32Array;

  private readonly files: number;
  private readonly shift: number;
  private readonly chunk: number;
  /** Sectors before the request in its first chunk. */
  private within = 0;

  /** `chunkShift`: log2 of the sectors of a chunk. */
  constructor(files: number, chunkShift: number) {
    this.files = files;
    this.shift = chunkShift;
    this.chunk = 1 << chunkShift;
    this.file = new Int32Array(files);
    this.sectors = new Int32Array(files);
    this.offsetLo = new Int32Array(files);
    this.offsetHi = new Int32Array(files);
  }

  /** Returns the number of parts. */
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
    // What was counted as whole chunks and is not: before the request, and after it.
    this.sectors[0]! -= within;
    this.sectors[(touched - 1) % files]! -= (touched << this.shift) - within - sectors;
    return parts;
  }

  /** Where in the request sector `skip` of a part is. */
  sectorAt(part: number, skip: number): number {
    const from = this.begin(part) + skip;
    const row = from >>> this.shift;
    return (((row * this.files + part) << this.shift) | (from & (this.chunk - 1))) - this.within;
  }

  /** Sectors of a part that follow sector `skip` in the request without a gap, itself included: never more than to the end of its chunk. */
  runAt(part: number, skip: number): number {
    const left = this.sectors[part]! - skip;
    // One file has no gaps.
    if (this.files === 1) return left;
    return Math.min(left, this.chunk - ((this.begin(part) + skip) & (this.chunk - 1)));
  }

  private begin(part: number): number {
    return part === 0 ? this.within : 0;
  }
}
