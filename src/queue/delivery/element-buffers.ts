/**
 * The element buffers (ublk_elem_header and what follows it) of one queue on one thread: one is being filled, the others
 * are the kernel's until their commands complete.
 */
import { type MappedMemory, mapAnonymous, PAGE_SIZE, roundUp } from '../../native/memory.ts';

const BUFFERS = 4;
const ALL = (1 << 4) - 1;

export class ElementBuffers {
  readonly queue: number;
  /** Among the thread's queues. */
  readonly position: number;
  private readonly memory: MappedMemory;
  private readonly words: Int32Array;
  private readonly bufferWords: number;
  private readonly elemWords: number;
  /** elemWords is 1 << elemShift. */
  private readonly elemShift: number;
  private readonly baseLo = new Int32Array(BUFFERS);
  private readonly baseHi = new Int32Array(BUFFERS);
  /** Elements in each, and how many of them the kernel has handled. */
  private readonly count = new Int32Array(BUFFERS);
  private readonly done = new Int32Array(BUFFERS);
  /** Bit i: buffer i is neither being filled nor the kernel's. */
  private free = ALL & ~1;
  private filling = 0;
  /** Words of the buffer that is being filled: its first, and the next free one. */
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
      const address = this.memory.address + BigInt(i * bufferBytes);
      this.baseLo[i] = Number(BigInt.asIntN(32, address));
      this.baseHi[i] = Number(address >> 32n);
    }
  }

  /** At most the queue's depth of them wait at once: no request is completed twice. */
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

  /** The filled buffer, to be submitted; -1 when it is empty, or when the kernel has all others: it goes on filling. */
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

  /** Elements of a taken buffer that are still to be handled, and where they begin. */
  countOf(buffer: number): number {
    return this.count[buffer]! - this.done[buffer]!;
  }

  addressLo(buffer: number): number {
    // The buffers are far smaller than 4 GiB, but may lie across a multiple of it.
    return ((this.baseLo[buffer]! >>> 0) + this.doneBytes(buffer)) | 0;
  }

  addressHi(buffer: number): number {
    const lo = (this.baseLo[buffer]! >>> 0) + this.doneBytes(buffer);
    return this.baseHi[buffer]! + (lo > 0xffffffff ? 1 : 0);
  }

  /**
   * `count` more elements were handled. An element that the kernel refuses when it comes first (`refused`) is passed
   * over, as every other would wait behind it for ever. true: nothing is left, the buffer is free.
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
