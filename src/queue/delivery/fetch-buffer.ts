/**
 * The provided buffer of one fetch command. The kernel appends tags to it until it is full; then the command ends and
 * the whole buffer is given to the kernel again.
 */
import { type MappedMemory, mapAnonymous, PAGE_SIZE, roundUp } from '../../native/memory.ts';
import { encodeInto } from '../../native/uapi/codec.ts';
import { io_uring_buf, io_uring_buf_ring } from '../../native/uapi/io-uring-structs.ts';
import { UBLK_FETCH_ELEM_BYTES } from '../../native/uapi/ublk-batch.ts';

export class FetchBuffer {
  readonly queue: number;
  /** How many tags fit. */
  readonly capacity: number;
  readonly tags: Uint16Array;
  /** Where the kernel writes the next tag. */
  at = 0;
  private readonly memory: MappedMemory;
  private readonly ring: DataView;
  private tail = 0;

  /** `ring`: a registered provided-buffer ring of one entry. */
  constructor(queue: number, depth: number, ring: MappedMemory) {
    this.queue = queue;
    this.memory = mapAnonymous(roundUp(depth * UBLK_FETCH_ELEM_BYTES, PAGE_SIZE), 'of a fetch buffer');
    this.capacity = this.memory.length / UBLK_FETCH_ELEM_BYTES;
    const { bytes } = this.memory;
    this.tags = new Uint16Array(bytes.buffer, bytes.byteOffset, this.capacity);
    this.ring = new DataView(ring.bytes.buffer, ring.bytes.byteOffset, ring.bytes.byteLength);
    const { address, length } = this.memory;
    encodeInto(this.ring, 0, io_uring_buf, { addr: address, len: length, bid: 0 });
  }

  /** Gives the whole buffer to the kernel. This happens once per page of tags, so it need not be fast. */
  provide(): void {
    this.at = 0;
    this.tail = (this.tail + 1) & 0xffff;
    // With one entry every position is entry 0, and with IOU_PBUF_RING_INC the kernel has moved its address on.
    this.ring.setBigUint64(io_uring_buf.fields.addr.offset, this.memory.address, true);
    this.ring.setUint32(io_uring_buf.fields.len.offset, this.memory.length, true);
    this.ring.setUint16(io_uring_buf_ring.fields.tail.offset, this.tail, true);
  }
}
