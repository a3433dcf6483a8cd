/**
 * A table of fixed files of a ring, whose places are filled and emptied while the ring is used. What the kernel reads is in
 * memory that is mapped once: a device that comes or goes makes one system call, and little for V8 to collect on the
 * thread that serves others.
 */
import { io_uring_register, systemError } from '../libc/calls.ts';
import { mapAnonymous, PAGE_SIZE } from '../memory.ts';
import { encode } from '../uapi/codec.ts';
import {
  IORING_REGISTER_FILES2,
  IORING_REGISTER_FILES_UPDATE,
  IORING_RSRC_REGISTER_SPARSE,
} from '../uapi/io-uring-register.ts';
import { io_uring_rsrc_register, io_uring_rsrc_update } from '../uapi/io-uring-structs.ts';

/** The word of io_uring_rsrc_update that names the first place; the struct is followed by the descriptors. */
const FIRST_WORD = 0;
const STRUCT_BYTES = io_uring_rsrc_update.size;
/** The most places that one call can fill. */
const MOST = (PAGE_SIZE - STRUCT_BYTES) / 4;

export class FileTable {
  readonly #fd: number;
  readonly #memory = mapAnonymous(PAGE_SIZE, 'of descriptors');
  readonly #update = this.#memory.words(0, STRUCT_BYTES / 4);
  readonly #fds = this.#memory.words(STRUCT_BYTES, MOST);

  /** Registers a table of `count` places with the ring of this descriptor, all of them empty. */
  constructor(fd: number, count: number) {
    this.#fd = fd;
    this.#memory.bytes.set(encode(io_uring_rsrc_update, { data: this.#memory.address + BigInt(STRUCT_BYTES) }));
    const argument = encode(io_uring_rsrc_register, { nr: count, flags: IORING_RSRC_REGISTER_SPARSE });
    const result = io_uring_register(fd, IORING_REGISTER_FILES2, argument, argument.length);
    if (result < 0) throw systemError('IORING_REGISTER_FILES2', -result, `(${count})`);
  }

  /** Puts `fds` into the table, from place `first` on; -1 empties a place. */
  put(first: number, fds: readonly number[]): void {
    this.#fds.set(fds);
    this.#call(first, fds.length);
  }

  /** Empties `count` places from `first` on. */
  empty(first: number, count: number): void {
    this.#fds.fill(-1, 0, count);
    this.#call(first, count);
  }

  /** Gives the memory back. The kernel keeps the table for as long as the ring. */
  release(): void {
    this.#memory.unmap();
  }

  #call(first: number, count: number): void {
    this.#update[FIRST_WORD] = first;
    const result = io_uring_register(this.#fd, IORING_REGISTER_FILES_UPDATE, this.#memory.address, count);
    if (result < 0) throw systemError('IORING_REGISTER_FILES_UPDATE', -result, `(${count})`);
  }
}
