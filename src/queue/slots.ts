/**
 * A *slot* is a (queue, tag) pair of the device, as one small integer: queue * depth + tag. Everything that is kept for
 * a request is in a typed array with one element per slot. Serving a request therefore divides nothing, looks nothing
 * up in an object and allocates nothing. Nothing but these arrays says which device a slot belongs to.
 */
import { wordsOf } from '../native/words64.ts';
import type { ThreadConfig } from './thread-config.ts';

export class Slots {
  readonly count: number;
  /** q_id | tag << 16: the first command word of every I/O command. */
  readonly queueTag: Int32Array;
  readonly queue: Uint16Array;
  /** Word index of the slot's descriptor. */
  readonly descriptor: Int32Array;
  /** Its own buffer: address, low and high. */
  readonly bufferLo: Int32Array;
  readonly bufferHi: Int32Array;
  /**
   * Index in the ring's table of registered buffers, dense over the slots that this thread serves; -1 where the data
   * path registers none.
   */
  readonly bufferIndex: Int32Array;
  /**
   * Where the data of the slot's request is: at an address when dataIndex is -1, else in that registered buffer, whose
   * addresses begin at 0. This is the slot's own buffer except while it has a request that matched
   * (data-path/shmem.ts).
   */
  readonly dataLo: Int32Array;
  readonly dataHi: Int32Array;
  readonly dataIndex: Int32Array;
  /** The command's addr word: where the kernel copies to and from; 0 in paths that copy nothing there. */
  readonly commandLo: Int32Array;
  readonly commandHi: Int32Array;
  /** The SQE's addr word: a ublk_auto_buf_reg, or 0. */
  readonly autoBufReg: Int32Array;
  readonly integrityLo: Int32Array;
  readonly integrityHi: Int32Array;
  /** Ring operations under way. */
  readonly pending: Int32Array;
  /** IoRequest.result between operations. */
  readonly result: Int32Array;

  constructor(config: ThreadConfig) {
    const { queues, depth, ioDescSize, maxIoBufBytes } = config.spec;
    this.count = queues * depth;
    this.queueTag = new Int32Array(this.count);
    this.queue = new Uint16Array(this.count);
    this.descriptor = new Int32Array(this.count);
    this.bufferIndex = new Int32Array(this.count).fill(-1);
    this.dataIndex = new Int32Array(this.count).fill(-1);
    this.commandLo = new Int32Array(this.count);
    this.commandHi = new Int32Array(this.count);
    this.autoBufReg = new Int32Array(this.count);
    this.pending = new Int32Array(this.count);
    this.result = new Int32Array(this.count);
    for (let slot = 0; slot < this.count; slot++) {
      const queue = Math.floor(slot / depth);
      const tag = slot % depth;
      this.queue[slot] = queue;
      this.queueTag[slot] = queue | (tag << 16);
      this.descriptor[slot] = (queue * config.queueDescriptorBytes + tag * ioDescSize) / 4;
    }
    [this.bufferLo, this.bufferHi] = addresses(config.buffers, maxIoBufBytes, this.count);
    this.dataLo = Int32Array.from(this.bufferLo);
    this.dataHi = Int32Array.from(this.bufferHi);
    [this.integrityLo, this.integrityHi] = addresses(config.integrityBuffers, config.integrityBytes, this.count);
  }

  /** The slot has its own buffer at `address` from its next request on; the commit of this one tells the kernel. */
  moveBuffer(slot: number, address: bigint): void {
    const [lo, hi] = wordsOf(address);
    const copies = this.commandLo[slot] === this.bufferLo[slot] && this.commandHi[slot] === this.bufferHi[slot];
    this.bufferLo[slot] = lo;
    this.bufferHi[slot] = hi;
    this.dataLo[slot] = lo;
    this.dataHi[slot] = hi;
    if (!copies) return;
    this.commandLo[slot] = lo;
    this.commandHi[slot] = hi;
  }

  /** Gives each of these slots a place of its own in the ring's table of registered buffers. */
  registerBuffers(slots: readonly number[]): void {
    for (const [index, slot] of slots.entries()) {
      this.bufferIndex[slot] = index;
      this.dataIndex[slot] = index;
    }
  }
}

function addresses(base: bigint, stride: number, count: number): [Int32Array, Int32Array] {
  const lo = new Int32Array(count);
  const hi = new Int32Array(count);
  if (base === 0n) return [lo, hi];
  for (let slot = 0; slot < count; slot++) {
    // User addresses have 47 bits: a number holds them exactly.
    const address = Number(base) + slot * stride;
    lo[slot] = address | 0;
    hi[slot] = Math.floor(address / 2 ** 32);
  }
  return [lo, hi];
}
