/**
 * The element buffers of one queue on one thread: arrays of ublk_elem_header, each followed by an address where the
 * data path has one. One buffer is being filled; the others belong to the kernel until their commands complete.
 */
import { type MappedMemory, mapAnonymous, PAGE_SIZE, roundUp } from '../../native/memory.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';

const BUFFERS = 4;
const ALL = (1 << 4) - 1;

export class ElementBuffers {
  readonly queue: number;
  /** The queue's index among those of the thread. */
  readonly position: number;
  private readonly memory: MappedMemory;
  private readonly words: Int32Array;
  private readonly bufferWords: number;
  private readonly elemWords: number;
  /** elemWords is 1 << elemShift. */
  private readonly elemShift: number;
  private readonly baseLo = new Int32Array(BUFFERS);
  private readonly baseHi = new Int32Array(BUFFERS);
  /** How many elements each buffer has, and how many of them the kernel has handled. */
  private readonly count = new Int32Array(BUFFERS);
  private readonly done = new Int32Array(BUFFERS);
  /** Bit i is set when buffer i is neither being filled nor the kernel's. */
  private free = ALL & ~1;
  private filling = 0;
  /** Word indexes in the buffer that is being filled: of its first word, and of the next free one. */
  private start = 0;
  private at = 0;

  constructor(queue: number, depth: number, elemBytes: number, position: number) {
    this.queue = queue;
    this.position = position;
    const bufferBytes = roundUp(depth * elemBytes, PAGE_SIZE);
    this.memory = mapAnonymous(bufferBytes * BUFFERS, 'of element buffers');
    this.words = this.memory.words();
    this.bufferWords = bufferBytes / 4;
    this.elemWords = elemBytes / 4;
    this.elemShift = Math.log2(this.elemWords);
    for (let i = 0; i < BUFFERS; i++) {
      const [lo, hi] = wordsOf(this.memory.address + BigInt(i * bufferBytes));
      this.baseLo[i] = lo;
      this.baseHi[i] = hi;
    }
  }

  /** Adds an element. There is room for one per tag, and no request is completed twice. */
  add(tagAndIndex: number, result: number, addressLo: number, addressHi: number): void {
    const at = this.at;
    const words = this.words;
    words[at] = tagAndIndex | 0;
    words[at + 1] = result | 0;
    if (this.elemWords > 2) {
      words[at + 2] = addressLo | 0;
      words[at + 3] = addressHi | 0;
    }
    this.at = at + this.elemWords;
  }

  /** Returns the filled buffer, to be submitted; -1 when it is empty or when the kernel has all others. */
  take(): number {
    const buffer = this.filling;
    const free = this.free;
    if (this.at === this.start || free === 0) return -1;
    this.count[buffer] = (this.at - this.start) >> this.elemShift;
    const lowest = free & -free;
    this.free = free ^ lowest;
    this.filling = 31 - Math.clz32(lowest);
    this.start = this.filling * this.bufferWords;
    this.at = this.start;
    return buffer;
  }

  /** How many elements of a taken buffer the kernel has still to handle. addressLo and addressHi: where they begin. */
  countOf(buffer: number): number {
    return this.count[buffer]! - this.done[buffer]!;
  }

  addressLo(buffer: number): number {
    return sumLo(this.baseLo[buffer]!, this.doneBytes(buffer));
  }

  addressHi(buffer: number): number {
    return sumHi(this.baseLo[buffer]!, this.baseHi[buffer]!, this.doneBytes(buffer));
  }

  /**
   * Notes that `count` more elements were handled. With `refused`, the kernel has refused the first element, which is
   * skipped, as the others would wait behind it for ever. Returns true when nothing is left and the buffer is free.
   */
  handled(buffer: number, count: number, refused: boolean): boolean {
    this.done[buffer]! += refused ? 1 : count;
    if (this.countOf(buffer) > 0) return false;
    this.release(buffer);
    return true;
  }

  release(buffer: number): void {
    this.free |= 1 << buffer;
    this.count[buffer] = 0;
    this.done[buffer] = 0;
  }

  private doneBytes(buffer: number): number {
    return this.done[buffer]! * this.elemWords * 4;
  }
}
