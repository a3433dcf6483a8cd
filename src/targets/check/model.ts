/** What a disk must hold, block by block: what was written, zeroes, or what nobody knows yet. */
const PAGE = 65_536;

interface Page {
  readonly data: Buffer;
  /** By block of the page: 1 when it is known what the block holds. */
  readonly known: Uint8Array;
}

/** A part of a range that lies in one page. */
interface Part {
  readonly page: Page;
  /** Where the part begins, in the page and in the range, and its length; in bytes. */
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

export class Model {
  private readonly block: number;
  private readonly pages = new Map<number, Page>();

  constructor(block: number) {
    this.block = block;
  }

  write(offset: number, data: Buffer): void {
    for (const { page, at, from, length } of this.parts(offset, data.length)) {
      data.copy(page.data, at, from, from + length);
      this.mark(page, at, length, 1);
    }
  }

  zero(offset: number, length: number): void {
    for (const { page, at, length: bytes } of this.parts(offset, length)) {
      page.data.fill(0, at, at + bytes);
      this.mark(page, at, bytes, 1);
    }
  }

  forget(offset: number, length: number): void {
    for (const { page, at, length: bytes } of this.parts(offset, length)) this.mark(page, at, bytes, 0);
  }

  /** Nothing is known any more. */
  forgetAll(): void {
    this.pages.clear();
  }

  /**
   * Compares what was read. Returns the first byte that is wrong, as an index into `data`, or -1. Blocks that were unknown
   * are known from now on.
   */
  compare(offset: number, data: Buffer): number {
    for (const part of this.parts(offset, data.length)) {
      const found = data.subarray(part.from, part.from + part.length);
      this.learn(part, found);
      const expected = part.page.data.subarray(part.at, part.at + part.length);
      if (!found.equals(expected)) return part.from + found.findIndex((byte, index) => byte !== expected[index]);
    }
    return -1;
  }

  /** Takes the blocks of the part that are unknown from what was read. */
  private learn({ page, at, length }: Part, found: Buffer): void {
    for (let byte = 0; byte < length; byte += this.block) {
      const index = (at + byte) / this.block;
      if (page.known[index] === 1) continue;
      page.known[index] = 1;
      found.copy(page.data, at + byte, byte, byte + this.block);
    }
  }

  private mark(page: Page, at: number, length: number, known: 0 | 1): void {
    page.known.fill(known, at / this.block, (at + length) / this.block);
  }

  private *parts(offset: number, length: number): Generator<Part> {
    for (let from = 0; from < length; ) {
      const at = (offset + from) % PAGE;
      const bytes = Math.min(length - from, PAGE - at);
      yield { page: this.page(Math.floor((offset + from) / PAGE)), at, from, length: bytes };
      from += bytes;
    }
  }

  private page(index: number): Page {
    const known = this.pages.get(index);
    if (known !== undefined) return known;
    const page = { data: Buffer.alloc(PAGE), known: new Uint8Array(PAGE / this.block) };
    this.pages.set(index, page);
    return page;
  }
}
