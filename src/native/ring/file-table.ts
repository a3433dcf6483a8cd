/**
 * A table of fixed files of a ring, whose places are filled and emptied while the ring is used. What the kernel reads is in
 * memory that is mapped once, so that a device that comes or goes costs the thread, which serves others meanwhile, one
 * system call and leaves little garbage to V8.
 */
import { UblkError } from '../../errors.ts';
import { io_uring_register, systemError } from '../libc/calls.ts';
import { mapAnonymous, type MappedMemory } from '../memory.ts';
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

export class FileTable {
  readonly #fd: number;
  readonly #memory: MappedMemory;
  readonly #update: Int32Array;
  readonly #fds: Int32Array;

  /** Registers a table of `count` places with the ring of this descriptor, all of them empty. */
  constructor(fd: number, count: number) {
    this.#fd = fd;
    // A call can fill all places. Memory that is not used takes none.
    this.#memory = mapAnonymous(STRUCT_BYTES + count * 4, 'of descriptors');
    this.#update = this.#memory.words(0, STRUCT_BYTES / 4);
    this.#fds = this.#memory.words(STRUCT_BYTES, count);
    this.#memory.bytes.set(encode(io_uring_rsrc_update, { data: this.#memory.address + BigInt(STRUCT_BYTES) }));
    const argument = encode(io_uring_rsrc_register, { nr: count, flags: IORING_RSRC_REGISTER_SPARSE });
    const result = io_uring_register(fd, IORING_REGISTER_FILES2, argument, argument.length);
    if (result >= 0) return;
    this.release();
    throw systemError('IORING_REGISTER_FILES2', -result, `(${count})`);
  }

  /** Puts `fds` into the table, from place `first` on; -1 empties a place. When it throws, some of them may be there. */
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
    if (result < count) throw takenInPart(result, count);
  }
}

/** The kernel stops at the first file that it cannot take, reports those before it, and does not say why. */
function takenInPart(taken: number, count: number): UblkError {
  return new UblkError(`io_uring took ${taken} of ${count} files into the table of a ring`, {
    code: 'EIO',
    command: 'IORING_REGISTER_FILES_UPDATE',
  });
}
