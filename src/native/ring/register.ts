/**
 * Registers descriptors, files and buffers with a ring before it runs (io_uring_register(2)). It is not on the data
 * path.
 */
import { io_uring_register, systemError } from '../libc/calls.ts';
import { type MappedMemory, mapAnonymous, PAGE_SIZE, roundUp } from '../memory.ts';
import { decode, encode } from '../uapi/codec.ts';
import {
  IORING_REGISTER_BUFFERS2,
  IORING_REGISTER_EVENTFD,
  IORING_REGISTER_FILES,
  IORING_REGISTER_IOWQ_MAX_WORKERS,
  IORING_REGISTER_PBUF_RING,
  IORING_REGISTER_RING_FDS,
  IORING_RSRC_REGISTER_SPARSE,
  IOU_PBUF_RING_INC,
} from '../uapi/io-uring-register.ts';
import { io_uring_buf_reg, io_uring_rsrc_register, io_uring_rsrc_update } from '../uapi/io-uring-structs.ts';
import { FileTable } from './file-table.ts';

export class RingRegistry {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Registers the ring's own descriptor and returns its index for IORING_ENTER_REGISTERED_RING, or -errno (before Linux
   * 5.18).
   */
  registerRingFd(): number {
    const ANY = 0xffffffff;
    const update = encode(io_uring_rsrc_update, { offset: ANY, data: BigInt(this.#fd) });
    const count = io_uring_register(this.#fd, IORING_REGISTER_RING_FDS, update, 1);
    return count === 1 ? decode(io_uring_rsrc_update, update).offset : count;
  }

  /** Registers `fds` as the fixed files: with IOSQE_FIXED_FILE, an entry names a file by its index in this list. */
  registerFiles(fds: readonly number[]): void {
    if (fds.length === 0) return;
    const array = Int32Array.from(fds);
    this.#register('IORING_REGISTER_FILES', IORING_REGISTER_FILES, new Uint8Array(array.buffer), fds.length);
  }

  /** Registers a table of `count` places for fixed files that come and go. */
  registerFileTable(count: number): FileTable {
    return new FileTable(this.#fd, count);
  }

  /** The eventfd that the kernel signals for completions, unless IORING_CQ_EVENTFD_DISABLED is set. */
  registerEventfd(fd: number): void {
    const argument = new Uint8Array(Int32Array.of(fd).buffer);
    this.#register('IORING_REGISTER_EVENTFD', IORING_REGISTER_EVENTFD, argument, 1);
  }

  /**
   * How many operations on files and block devices may block at the same time. Each that does has a worker of the kernel
   * for it; without this there are at most four per CPU, and what else would block waits for one of them.
   */
  registerWorkers(count: number): void {
    const argument = new Uint8Array(Uint32Array.of(count, 0).buffer);
    this.#register('IORING_REGISTER_IOWQ_MAX_WORKERS', IORING_REGISTER_IOWQ_MAX_WORKERS, argument, 2);
  }

  /** Registers an empty table of `count` buffers, which the driver fills with the pages of requests. */
  registerSparseBuffers(count: number): void {
    const flags = IORING_RSRC_REGISTER_SPARSE;
    const argument = encode(io_uring_rsrc_register, { nr: count, flags });
    this.#register('IORING_REGISTER_BUFFERS2', IORING_REGISTER_BUFFERS2, argument, argument.length);
  }

  /** Registers a ring of provided buffers for `group`. A buffer is consumed in pieces (IOU_PBUF_RING_INC). */
  registerBufferRing(group: number, entries: number): MappedMemory {
    const memory = mapAnonymous(roundUp(entries * 16, PAGE_SIZE), 'of a provided-buffer ring');
    const argument = encode(io_uring_buf_reg, {
      ring_addr: memory.address,
      ring_entries: entries,
      bgid: group,
      flags: IOU_PBUF_RING_INC,
    });
    this.#register('IORING_REGISTER_PBUF_RING', IORING_REGISTER_PBUF_RING, argument, 1);
    return memory;
  }

  #register(command: string, opcode: number, argument: Uint8Array, count: number): void {
    const result = io_uring_register(this.#fd, opcode, argument, count);
    if (result < 0) throw systemError(command, -result, `(${count})`);
  }
}
