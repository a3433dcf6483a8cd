/**
 * The requests of one message: their headers, and a struct msghdr with iovecs over the headers and the data of writes.
 * Headers that follow each other are one iovec. Data in a registered buffer cannot be in an iovec: it ends a *part*, which
 * has a struct msghdr of its own, and is sent after it. Hot path: it is filled in place and allocates nothing.
 *
 * Contract: between the submission of its message and the end of that operation, an outbox must not be changed.
 */
import { hollow, type MappedMemory, mapAnonymous } from '../../../native/memory.ts';
import { sumHi, sumLo, wordsOf } from '../../../native/words64.ts';
import { NBD_REQUEST_BYTES } from '../protocol/numbers.ts';
import { encodeRequest } from '../protocol/request.ts';
import { iovec, msghdr } from '../../../native/uapi/socket.ts';

/** UIO_MAXIOV of include/uapi/linux/uio.h is 1024 iovecs: two per write. */
const MAX_REQUESTS = 511;
/** The kernel sends no more than 2 GiB at once. */
const MAX_BYTES = 2 ** 30;

/** Parts that end in data of a registered buffer. */
const MAX_PARTS = 16;
/** Positions in the memory: one struct msghdr per part and one for what follows them, the iovecs, the headers. */
const MSGHDR_BYTES = 64;
const IOVECS_AT = (MAX_PARTS + 1) * MSGHDR_BYTES;
const IOVEC_BYTES = iovec.size;
const HEADERS_AT = IOVECS_AT + 1024 * IOVEC_BYTES;
const MEMORY_BYTES = HEADERS_AT + MAX_REQUESTS * NBD_REQUEST_BYTES;

const IOV_WORD = msghdr.fields.msg_iov.offset >> 2;
const IOVLEN_WORD = msghdr.fields.msg_iovlen.offset >> 2;

export class Outbox {
  /** The address of the first struct msghdr. */
  readonly headerLo: number;
  readonly headerHi: number;
  /** Bytes of the message. */
  bytes = 0;
  /** Parts that end in data of a registered buffer: the slot and the length of that data, by part. */
  parts = 0;
  readonly partSlot = new Int32Array(MAX_PARTS);
  readonly partBytes = new Int32Array(MAX_PARTS);
  /** Bytes that follow the parts. */
  tailBytes = 0;

  private readonly memory: MappedMemory;
  private readonly words: Int32Array;
  private readonly view: DataView;
  private readonly headersLo: number;
  private readonly headersHi: number;
  private readonly vecLo: number;
  private readonly vecHi: number;
  private requests = 0;
  private iovecs = 0;
  /** The first iovec behind the parts. */
  private tailStart = 0;
  /** Whether the last iovec is one of headers. */
  private endsInHeaders = false;

  constructor() {
    const memory = mapAnonymous(MEMORY_BYTES, 'of requests to an NBD server');
    this.memory = memory;
    const { buffer, byteOffset, byteLength } = memory.bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.words = memory.words();
    [this.headerLo, this.headerHi] = wordsOf(memory.address);
    this.headersLo = sumLo(this.headerLo, HEADERS_AT);
    this.headersHi = sumHi(this.headerLo, this.headerHi, HEADERS_AT);
    [this.vecLo, this.vecHi] = wordsOf(memory.address + BigInt(IOVECS_AT));
  }

  get isEmpty(): boolean {
    return this.requests === 0;
  }

  /** Whether there is room for one more request, with `length` bytes of data. */
  hasRoomFor(length: number): boolean {
    return this.requests < MAX_REQUESTS && this.parts < MAX_PARTS && this.bytes + length < MAX_BYTES;
  }

  /** Adds a request; the data of a write follows with `addData`. 64-bit values are pairs of words. */
  add(
    flags: number,
    command: number,
    cookieLo: number,
    cookieHi: number,
    offsetLo: number,
    offsetHi: number,
    length: number,
  ): void {
    const at = this.requests * NBD_REQUEST_BYTES;
    encodeRequest(this.view, HEADERS_AT + at, flags, command, cookieLo, cookieHi, offsetLo, offsetHi, length);
    this.requests++;
    if (this.endsInHeaders) {
      this.words[this.lastIovec() + 2]! += NBD_REQUEST_BYTES;
      this.bytes += NBD_REQUEST_BYTES;
      this.tailBytes += NBD_REQUEST_BYTES;
    } else {
      this.addIovec(sumLo(this.headersLo, at), sumHi(this.headersLo, this.headersHi, at), NBD_REQUEST_BYTES);
    }
    this.endsInHeaders = true;
  }

  /** The `length` bytes at this address are the data of the request that was added last. */
  addData(addressLo: number, addressHi: number, length: number): void {
    this.addIovec(addressLo, addressHi, length);
    this.endsInHeaders = false;
  }

  /** The data of the request that was added last is in the registered buffer of `slot`. */
  addRegistered(slot: number, length: number): void {
    const { parts } = this;
    this.partSlot[parts] = slot;
    this.partBytes[parts] = length;
    this.bytes += length;
    this.endPart(parts);
    this.parts = parts + 1;
    this.tailStart = this.iovecs;
    this.tailBytes = 0;
    this.endsInHeaders = false;
  }

  /** The message is complete: the kernel may read it. */
  seal(): void {
    this.endPart(this.parts);
  }

  /** The address of a part's struct msghdr. What follows the parts has the index `parts`. */
  partLo(part: number): number {
    return sumLo(this.headerLo, part * MSGHDR_BYTES);
  }

  partHi(part: number): number {
    return sumHi(this.headerLo, this.headerHi, part * MSGHDR_BYTES);
  }

  clear(): void {
    this.requests = 0;
    this.iovecs = 0;
    this.bytes = 0;
    this.parts = 0;
    this.tailStart = 0;
    this.tailBytes = 0;
    this.endsInHeaders = false;
  }

  /** Gives the memory back. Nothing is sent any more, and no operation may succeed that is still under way. */
  release(): void {
    hollow(this.memory, 'in place of requests to an NBD server');
  }

  /** Fills the struct msghdr with the iovecs since the last part. */
  private endPart(part: number): void {
    const { words, tailStart } = this;
    const at = (part * MSGHDR_BYTES) >> 2;
    words[at + IOV_WORD] = sumLo(this.vecLo, tailStart * IOVEC_BYTES);
    words[at + IOV_WORD + 1] = sumHi(this.vecLo, this.vecHi, tailStart * IOVEC_BYTES);
    words[at + IOVLEN_WORD] = this.iovecs - tailStart;
  }

  private addIovec(lo: number, hi: number, length: number): void {
    this.iovecs++;
    const { words } = this;
    const at = this.lastIovec();
    words[at] = lo;
    words[at + 1] = hi;
    words[at + 2] = length;
    words[at + 3] = 0;
    this.bytes += length;
    this.tailBytes += length;
  }

  private lastIovec(): number {
    return (IOVECS_AT + (this.iovecs - 1) * IOVEC_BYTES) >> 2;
  }
}
