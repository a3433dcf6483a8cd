/**
 * The data of requests as bytes, for targets that look at it (IoRequest.view). The view of a slot's own buffer is made
 * once for each length that is usual and used again, so that a request of such a length allocates nothing.
 *
 * Memory that a request leaves behind while somebody may still write to it (IoRequest.abandonView) is replaced.
 */
import { viewOf } from '../native/libc/ffi.ts';
import { mapAnonymous } from '../native/memory.ts';
import { addressOf } from '../native/words64.ts';
import type { ShmemTable } from './shmem-table.ts';
import type { Slots } from './slots.ts';

/** There is one view per slot and class: a class is the lengths from 512 << n to below 512 << (n + 1). */
const CLASSES = 23;
const CLZ_512 = Math.clz32(512);

interface SlotMemory {
  readonly bytes: Buffer;
  readonly address: bigint;
}

interface SharedMemory {
  readonly bytes: Buffer;
  readonly generation: number;
  readonly readOnly: boolean;
}

export class DataViews {
  private readonly slots: Slots;
  private readonly table: ShmemTable;
  private readonly bufferBytes: number;
  /** Made with the first view: most targets look at no data. */
  private views: (Buffer | undefined)[] = [];
  /** Each slot's own buffer, from the first time that it is looked at. */
  private readonly memory: (SlotMemory | undefined)[] = [];
  /** Memory that requests have left behind, and that nobody writes to any more. */
  private readonly spare: SlotMemory[] = [];
  /** The address of all memory that was mapped here, in place of what requests have left behind. */
  readonly mapped: bigint[] = [];
  /** Registered buffers, by the kernel's index. */
  private readonly shared: (SharedMemory | undefined)[] = [];

  /** `bufferBytes`: of each slot's own buffer. */
  constructor(slots: Slots, table: ShmemTable, bufferBytes: number) {
    this.slots = slots;
    this.table = table;
    this.bufferBytes = bufferBytes;
  }

  /** The first `bytes` bytes of the slot's own buffer. Hot path. */
  own(slot: number, bytes: number): Buffer {
    const at = slot * CLASSES + CLZ_512 - Math.clz32(bytes);
    const view = this.views[at];
    return view !== undefined && view.length === bytes ? view : this.make(slot, bytes, at);
  }

  /**
   * `bytes` bytes of registered buffer `index`, from byte `offset` on. Memory that is registered read-only is copied into
   * the slot's own buffer: a target that wrote to it by mistake would end the server.
   */
  matched(slot: number, index: number, offset: number, bytes: number): Buffer {
    const { bytes: all, readOnly } = this.known(index);
    const view = all.subarray(offset, offset + bytes);
    if (!readOnly) return view;
    const copy = this.own(slot, bytes);
    copy.set(view);
    return copy;
  }

  /** Whether requests that lie in registered buffer `index` are views of the slot's own buffer. */
  isCopied(index: number): boolean {
    return this.known(index).readOnly;
  }

  /** Gives the slot other memory, from its next request on. Returns the function that gives the old memory back. */
  replace(slot: number): () => void {
    const { slots } = this;
    const old = this.memoryOf(slot);
    const memory = this.spare.pop() ?? this.newMemory();
    this.memory[slot] = memory;
    this.views.fill(undefined, slot * CLASSES, (slot + 1) * CLASSES);
    slots.moveBuffer(slot, memory.address);
    return () => void this.spare.push(old);
  }

  private make(slot: number, bytes: number, at: number): Buffer {
    const view = this.memoryOf(slot).bytes.subarray(0, bytes);
    if (this.views.length === 0) this.views = Array.from({ length: this.slots.count * CLASSES }, () => undefined);
    this.views[at] = view;
    return view;
  }

  private memoryOf(slot: number): SlotMemory {
    const known = this.memory[slot];
    if (known !== undefined && !isDetached(known.bytes)) return known;
    const { bufferLo, bufferHi } = this.slots;
    const memory = this.memoryAt(addressOf(bufferLo[slot]!, bufferHi[slot]!));
    this.memory[slot] = memory;
    return memory;
  }

  private newMemory(): SlotMemory {
    const { address } = mapAnonymous(this.bufferBytes, 'of an I/O buffer');
    this.mapped.push(address);
    return this.memoryAt(address);
  }

  private memoryAt(address: bigint): SlotMemory {
    return { address, bytes: viewOf(address, this.bufferBytes) };
  }

  private known(index: number): SharedMemory {
    const generation = this.table.generation(index);
    const known = this.shared[index];
    if (known?.generation === generation && !isDetached(known.bytes)) return known;
    return this.learn(index, generation);
  }

  private learn(index: number, generation: number): SharedMemory {
    const { table } = this;
    const address = addressOf(table.addressLo(index), table.addressHi(index));
    const bytes = viewOf(address, table.length(index));
    const shared = { generation, bytes, readOnly: table.isReadOnly(index) };
    this.shared[index] = shared;
    return shared;
  }
}

/**
 * A target can take the memory from its buffer (ArrayBuffer.prototype.transfer). It stays mapped, and is looked at anew.
 * Node itself refuses to send such a buffer to another thread. markAsUntransferable must not be called for it: Node 26
 * then aborts the process when the thread ends.
 */
function isDetached(buffer: Buffer): boolean {
  return buffer.length === 0;
}
