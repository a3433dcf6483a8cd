/**
 * The provided buffer of one fetch command. The kernel appends tags to it until it is full; then the command ends and
 * the whole buffer is given to the kernel again.
 */
import { type MappedMemory, mapAnonymous, PAGE_SIZE, roundUp } from '../../native/memory.ts';
import { encodeInto } from '../../native/uapi/codec.ts';
import { io_uring_buf, io_uring_buf_ring } from '../../native/uapi/io-uring-structs.ts';
import { UBLK_FETCH_ELEM_BYTES } from '../../native/uapi/ublk-batch.ts';

/** The memory of all fetch buffers of a thread. As one array its address is a constant to the JIT (decision 11). */
export class FetchedTags {
  readonly memory: MappedMemory;
  readonly all: Uint16Array;
  /** How many tags fit into one buffer. */
  readonly capacity: number;

  constructor(depth: number, buffers: number) {
    const bytes = roundUp(depth * UBLK_FETCH_ELEM_BYTES, PAGE_SIZE);
    this.capacity = bytes / UBLK_FETCH_ELEM_BYTES;
    this.memory = mapAnonymous(bytes * buffers, 'of fetch buffers');
    this.all = new Uint16Array(this.memory.bytes.buffer, this.memory.bytes.byteOffset, this.capacity * buffers);
  }
}

export class FetchBuffer {
  readonly queue: number;
  /** How many tags fit. */
  readonly capacity: number;
  /** Index in the tags of the thread where the kernel writes the next one. */
  at: number;
  private readonly first: number;
  private readonly address: bigint;
  private readonly length: number;
  private readonly ring: DataView;
  private tail = 0;

  /** `position`: the buffer's place in `tags`; `ring`: a registered provided-buffer ring of one entry. */
  constructor(queue: number, tags: FetchedTags, position: number, ring: MappedMemory) {
    this.queue = queue;
    this.capacity = tags.capacity;
    this.first = position * tags.capacity;
    this.at = this.first;
    this.address = tags.memory.address + BigInt(this.first * UBLK_FETCH_ELEM_BYTES);
    this.length = tags.capacity * UBLK_FETCH_ELEM_BYTES;
    this.ring = new DataView(ring.bytes.buffer, ring.bytes.byteOffset, ring.bytes.byteLength);
    encodeInto(this.ring, 0, io_uring_buf, { addr: this.address, len: this.length, bid: 0 });
  }

  /** Gives the whole buffer to the kernel. This happens once per page of tags, so it need not be fast. */
  provide(): void {
    this.at = this.first;
    this.tail = (this.tail + 1) & 0xffff;
    // With one entry every position is entry 0, and with IOU_PBUF_RING_INC the kernel has moved its address on.
    this.ring.setBigUint64(io_uring_buf.fields.addr.offset, this.address, true);
    this.ring.setUint32(io_uring_buf.fields.len.offset, this.length, true);
    this.ring.setUint16(io_uring_buf_ring.fields.tail.offset, this.tail, true);
  }
}
