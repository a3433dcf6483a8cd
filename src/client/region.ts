/**
 * A region of memory that this program and a device's server share. I/O on the device from its buffers is not copied.
 *
 * Contract: buffers are views of the region. After `release` they are ordinary memory full of zeros: they may be read
 * and written, and are no longer shared.
 */
import { requireWaiting, type WaitOptions } from '../control/waiting.ts';
import { BYTES, COUNT, requireKind } from '../kinds.ts';
import { PAGE_SIZE, hollow, type MappedMemory } from '../native/memory.ts';
import { UblkError } from '../errors.ts';
import { PageAllocator } from './page-allocator.ts';

export interface RegionParts {
  readonly memory: MappedMemory;
  /** The kernel's index of the buffer on this device. */
  readonly index: number;
  readonly readOnly: boolean;
  /** Unregisters the memory; resolves when no request uses it. */
  readonly unregister: (waiting: WaitOptions) => Promise<void>;
  /** Closes or removes what was opened or made for the memory. */
  readonly close: () => void;
}

/** Memory that is shared with the server of a device. `SharedMemoryDevice.allocate` makes one. */
export class SharedRegion {
  /** The kernel's index of the buffer, as `ublkts list` shows it. */
  readonly index: number;
  readonly readOnly: boolean;
  readonly #parts: RegionParts;
  readonly #pages: PageAllocator;
  #unregistered: Promise<void> | undefined;
  #isReleased = false;

  constructor(parts: RegionParts) {
    this.#parts = parts;
    this.index = parts.index;
    this.readOnly = parts.readOnly;
    this.#pages = new PageAllocator(parts.memory.length, PAGE_SIZE);
  }

  get bytes(): number {
    return this.#parts.memory.length;
  }

  /** Allocates a buffer of `bytes` bytes. It begins at a page, so that every request from it can match. */
  alloc(bytes: number): Buffer {
    requireKind('bytes', bytes, COUNT);
    const at = this.#unregistered !== undefined ? -1 : this.#pages.take(bytes);
    if (at < 0) {
      const reason =
        this.#unregistered !== undefined ? 'the region was released' : `no ${bytes} bytes in a row are free`;
      throw new UblkError(`cannot allocate from shared region ${this.index}: ${reason}`, { code: 'ENOMEM' });
    }
    return this.#parts.memory.bytes.subarray(at, at + bytes);
  }

  /** Frees a buffer that `alloc` returned. */
  free(buffer: Buffer): void {
    requireKind('buffer', buffer, BYTES);
    const { bytes } = this.#parts.memory;
    if (buffer.buffer !== bytes.buffer || !this.#pages.give(buffer.byteOffset - bytes.byteOffset)) {
      throw new UblkError(`the buffer is not one of shared region ${this.index}`, { code: 'EINVAL' });
    }
  }

  /**
   * Ends the sharing, after the requests under way have finished. When that fails or is given up, the memory is still shared, and
   * `release` can be called again. A call while another one waits settles with that one.
   */
  async release(waiting: WaitOptions = {}): Promise<void> {
    requireWaiting(waiting);
    this.#unregistered ??= this.#parts.unregister(waiting).catch((error: unknown) => {
      this.#unregistered = undefined;
      throw error;
    });
    await this.#unregistered;
    if (this.#isReleased) return;
    this.#isReleased = true;
    hollow(this.#parts.memory, 'of a released region');
    this.#parts.close();
  }
}
