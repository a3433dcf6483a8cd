/** Memory for the iovecs of every slot and file. It is mapped once and filled in place. */
import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';

const IOVEC_BYTES = 16;
const IOVEC_WORDS = IOVEC_BYTES / 4;
/** UIO_MAXIOV of include/uapi/linux/uio.h: the most iovecs that one system call takes. */
const MAX_VECTORS = 1024;

/** The most iovecs that one file can need for a request of `bytes` bytes. */
export function vectorsPerFile(bytes: number, files: number, chunkBytes: number): number {
  if (files === 1) return 1;
  return Math.ceil((Math.ceil(bytes / chunkBytes) + 1) / files);
}

/** The largest request, in bytes, that never needs more iovecs per file than one operation takes. */
export function maxRequestBytes(files: number, chunkBytes: number): number {
  return files === 1 ? Number.MAX_SAFE_INTEGER : (MAX_VECTORS * files - 1) * chunkBytes;
}

export class Vectors {
  private readonly memory: MappedMemory;
  private readonly words: Int32Array;
  private readonly baseLo: number;
  private readonly baseHi: number;
  private readonly files: number;
  private readonly perFile: number;

  constructor(slots: number, files: number, perFile: number) {
    this.files = files;
    this.perFile = perFile;
    // The pages take memory only when this thread first writes to them.
    this.memory = mapAnonymous(slots * files * perFile * IOVEC_BYTES, 'of stripe vectors');
    this.words = this.memory.words();
    [this.baseLo, this.baseHi] = wordsOf(this.memory.address);
  }

  /** Gives the memory back. No operation that is not submitted yet may have an address in it. */
  close(): void {
    this.memory.unmap();
  }

  /** The word index of the first iovec of a slot and part. */
  at(slot: number, part: number): number {
    return (slot * this.files + part) * this.perFile * IOVEC_WORDS;
  }

  /** Fills the iovec with this index, counted from the iovec at word `at`. */
  set(at: number, index: number, baseLo: number, baseHi: number, length: number): void {
    const words = this.words;
    const word = at + index * IOVEC_WORDS;
    words[word] = baseLo;
    words[word + 1] = baseHi;
    words[word + 2] = length;
    words[word + 3] = 0;
  }

  addressLo(at: number): number {
    return sumLo(this.baseLo, at * 4);
  }

  addressHi(at: number): number {
    return sumHi(this.baseLo, this.baseHi, at * 4);
  }
}
