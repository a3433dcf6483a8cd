/**
 * A *slot* is a (queue, tag) pair of the device, as one small integer: queue * depth + tag. Everything that is kept for
 * a request is in a typed array with one element per slot. Serving a request therefore divides nothing, looks nothing
 * up in an object and allocates nothing. Nothing but these arrays says which device a slot belongs to.
 */
import { wordsOf } from '../native/words64.ts';
import type { ThreadConfig } from './thread-config.ts';

/** The slots of one queue of a device. */
export interface QueueSlots {
  readonly queue: number;
  readonly first: number;
  readonly depth: number;
  readonly targetFirst: number;
  readonly firstFile: number;
  /** Where the first descriptor is, in bytes. */
  readonly descriptorsAt: number;
  readonly ioDescSize: number;
  /** The buffers of the slots, side by side; 0n where the data path needs none. */
  readonly buffers: bigint;
  readonly bufferBytes: number;
  readonly integrityBuffers: bigint;
  readonly integrityBytes: number;
}

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

  /** The first of the slots that the slot's target has. */
  readonly targetFirst: Int32Array;
  /** Registered index of the target's first file. */
  readonly firstFile: Int32Array;

  constructor(count: number) {
    this.count = count;
    this.queueTag = new Int32Array(count);
    this.queue = new Uint16Array(count);
    this.descriptor = new Int32Array(count);
    this.bufferLo = new Int32Array(count);
    this.bufferHi = new Int32Array(count);
    this.bufferIndex = new Int32Array(count);
    this.dataLo = new Int32Array(count);
    this.dataHi = new Int32Array(count);
    this.dataIndex = new Int32Array(count);
    this.commandLo = new Int32Array(count);
    this.commandHi = new Int32Array(count);
    this.autoBufReg = new Int32Array(count);
    this.integrityLo = new Int32Array(count);
    this.integrityHi = new Int32Array(count);
    this.pending = new Int32Array(count);
    this.result = new Int32Array(count);
    this.targetFirst = new Int32Array(count);
    this.firstFile = new Int32Array(count);
  }

  /** Fills the elements of the slots of one queue; what they were before does not matter. */
  setQueue(of: QueueSlots): void {
    for (let tag = 0; tag < of.depth; tag++) {
      const slot = of.first + tag;
      this.queue[slot] = of.queue;
      this.queueTag[slot] = of.queue | (tag << 16);
      this.descriptor[slot] = (of.descriptorsAt + tag * of.ioDescSize) / 4;
      this.targetFirst[slot] = of.targetFirst;
      this.firstFile[slot] = of.firstFile;
      this.bufferIndex[slot] = -1;
      this.dataIndex[slot] = -1;
      this.commandLo[slot] = 0;
      this.commandHi[slot] = 0;
      this.autoBufReg[slot] = 0;
      this.pending[slot] = 0;
      setAddress(this.bufferLo, this.bufferHi, slot, of.buffers, tag * of.bufferBytes);
      setAddress(this.dataLo, this.dataHi, slot, of.buffers, tag * of.bufferBytes);
      setAddress(this.integrityLo, this.integrityHi, slot, of.integrityBuffers, tag * of.integrityBytes);
    }
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

/** `base` 0n: there is no memory. */
function setAddress(lo: Int32Array, hi: Int32Array, slot: number, base: bigint, offset: number): void {
  // User addresses have 47 bits: a number holds them exactly.
  const address = base === 0n ? 0 : Number(base) + offset;
  lo[slot] = address | 0;
  hi[slot] = Math.floor(address / 2 ** 32);
}

/** The slots of a thread that serves one device: all of the device's, whether it fetches them or not. */
export function slotsOfDevice(config: ThreadConfig, firstFile: number): Slots {
  const { queues, depth, ioDescSize, maxIoBufBytes: bufferBytes } = config.spec;
  const { queueDescriptorBytes, integrityBytes } = config;
  const slots = new Slots(queues * depth);
  for (let queue = 0; queue < queues; queue++) {
    const first = queue * depth;
    slots.setQueue({
      queue,
      first,
      depth,
      targetFirst: 0,
      firstFile,
      descriptorsAt: queue * queueDescriptorBytes,
      ioDescSize,
      buffers: behind(config.buffers, first * bufferBytes),
      bufferBytes,
      integrityBuffers: behind(config.integrityBuffers, first * integrityBytes),
      integrityBytes,
    });
  }
  return slots;
}

/** 0n where there is no memory. */
function behind(base: bigint, bytes: number): bigint {
  return base === 0n ? 0n : base + BigInt(bytes);
}
