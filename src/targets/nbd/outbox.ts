/**
 * The requests of one message: their headers, and a struct msghdr with iovecs over the headers and the data of writes.
 * Headers that follow each other are one iovec. Hot path: it is filled in place and allocates nothing.
 *
 * Contract: between the submission of its message and the end of that operation, an outbox must not be changed.
 */
import { type MappedMemory, mapAnonymous } from '../../native/memory.ts';
import { sumHi, sumLo, wordsOf } from '../../native/words64.ts';
import { NBD_REQUEST_BYTES } from './protocol/numbers.ts';
import { encodeRequest } from './protocol/request.ts';

/** UIO_MAXIOV of include/uapi/linux/uio.h is 1024 iovecs: two per write. */
const MAX_REQUESTS = 511;
/** The kernel sends no more than 2 GiB at once. */
const MAX_BYTES = 2 ** 30;

/** Positions in the memory: struct msghdr, the iovecs, the headers. */
const IOVECS_AT = 64;
const IOVEC_BYTES = 16;
const HEADERS_AT = IOVECS_AT + 1024 * IOVEC_BYTES;
const MEMORY_BYTES = HEADERS_AT + MAX_REQUESTS * NBD_REQUEST_BYTES;

/** Offsets in struct msghdr. */
const MSG_IOV = 16;
const MSG_IOVLEN = 24;

export class Outbox {
  /** The address of the struct msghdr. */
  readonly headerLo: number;
  readonly headerHi: number;
  /** Bytes of the message. */
  bytes = 0;

  private readonly words: Int32Array;
  private readonly view: DataView;
  private readonly headersLo: number;
  private readonly headersHi: number;
  private requests = 0;
  private iovecs = 0;
  /** Whether the last iovec is one of headers. */
  private endsInHeaders = false;

  constructor() {
    const memory: MappedMemory = mapAnonymous(MEMORY_BYTES, 'of requests to an NBD server');
    const { buffer, byteOffset, byteLength } = memory.bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.words = memory.words();
    [this.headerLo, this.headerHi] = wordsOf(memory.address);
    this.headersLo = sumLo(this.headerLo, HEADERS_AT);
    this.headersHi = sumHi(this.headerLo, this.headerHi, HEADERS_AT);
    const [vecLo, vecHi] = wordsOf(memory.address + BigInt(IOVECS_AT));
    this.words[MSG_IOV >> 2] = vecLo;
    this.words[(MSG_IOV >> 2) + 1] = vecHi;
  }

  get isEmpty(): boolean {
    return this.requests === 0;
  }

  /** Whether a request with `length` bytes of data must wait for the next message. */
  hasRoomFor(length: number): boolean {
    return this.requests < MAX_REQUESTS && this.bytes + length < MAX_BYTES;
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

  /** The message is complete: the kernel may read it. */
  seal(): void {
    this.words[MSG_IOVLEN >> 2] = this.iovecs;
  }

  clear(): void {
    this.requests = 0;
    this.iovecs = 0;
    this.bytes = 0;
    this.endsInHeaders = false;
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
  }

  private lastIovec(): number {
    return (IOVECS_AT + (this.iovecs - 1) * IOVEC_BYTES) >> 2;
  }
}
