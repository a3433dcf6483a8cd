/** Mapped memory: an address that can be passed to the kernel, and typed-array views of the same bytes. */
import { ftruncateSync } from 'node:fs';
import { checked, closeDescriptor, fileError, mmap, munmap } from './libc/calls.ts';
import { callInt, viewOf } from './libc/ffi.ts';
import {
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_NOHUGEPAGE,
  MADV_POPULATE_WRITE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MLOCK_ONFAULT,
  PROT_READ,
  PROT_WRITE,
} from './uapi/mman.ts';
import { ERRNO } from './uapi/errno.ts';

const { EINVAL } = ERRNO;

export const PAGE_SIZE = 4096;

export interface MapOptions {
  readonly readOnly?: boolean;
  /** Whether to fault every page in now, so that no request has to. */
  readonly populate?: boolean;
  readonly offset?: bigint;
  /** Where to map it, in place of what is mapped there. */
  readonly at?: bigint;
}

/**
 * One mapping. Its views are made when they are first asked for. A mapping whose bytes only the kernel touches, such as
 * a client's shared buffer, never gets a view, so it cannot raise SIGBUS in this process when its file is cut short.
 */
export class MappedMemory {
  readonly address: bigint;
  readonly length: number;
  #bytes: Buffer | undefined;

  constructor(address: bigint, length: number) {
    this.address = address;
    this.length = length;
  }

  get bytes(): Buffer {
    this.#bytes ??= viewOf(this.address, this.length);
    return this.#bytes;
  }

  /** A view as int32 words. `byteOffset` is a multiple of 4. */
  words(byteOffset = 0, length = (this.length - byteOffset) >> 2): Int32Array {
    return new Int32Array(this.bytes.buffer, this.bytes.byteOffset + byteOffset, length);
  }

  /** Unmaps the memory. The views must not be used afterwards. */
  unmap(): void {
    munmap(this.address, BigInt(this.length));
  }
}

/** Maps `fd` as shared memory. `what` names the mapping in errors. */
export function mapFile(fd: number, length: number, what: string, options: MapOptions = {}): MappedMemory {
  const prot = options.readOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  const { at } = options;
  const flags = MAP_SHARED | (options.populate ? MAP_POPULATE : 0) | (at === undefined ? 0 : MAP_FIXED);
  return new MappedMemory(mmap(BigInt(length), prot, flags, fd, options.offset ?? 0n, what, at), length);
}

/**
 * Maps zeroed private memory, which takes no memory until its pages are touched. Huge pages are turned off for it:
 * otherwise, on a system that gives them to every process, the first 4k request in an I/O buffer would clear 2 MiB.
 */
export function mapAnonymous(length: number, what: string): MappedMemory {
  const rounded = roundUp(length, PAGE_SIZE);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  const address = mmap(BigInt(rounded), PROT_READ | PROT_WRITE, flags, -1, 0n, what);
  callInt('madvise', address, BigInt(rounded), MADV_NOHUGEPAGE);
  return new MappedMemory(address, rounded);
}

/**
 * Unmaps the memory and maps zeroed private pages in its place, because a view of the addresses may still exist. The
 * new pages take no memory until they are touched, and are never unmapped.
 */
export function hollow({ address, length }: Pick<MappedMemory, 'address' | 'length'>, what: string): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  mmap(BigInt(length), PROT_READ | PROT_WRITE, flags, -1, 0n, what, address);
}

/** Gives every page of the mapping its memory now. Returns 0 or the errno. */
export function populate({ address, length }: MappedMemory): number {
  const { value, errno } = callInt('madvise', address, BigInt(length), MADV_POPULATE_WRITE);
  return value < 0 ? errno : 0;
}

/**
 * Gives the memory of anonymous pages back to the system, also of locked ones; they are zeroed pages afterwards. Returns 0
 * or the errno.
 */
export function discard(address: bigint, length: number): number {
  const locked = callInt('madvise', address, BigInt(length), MADV_DONTNEED_LOCKED);
  if (locked.value === 0) return 0;
  // Before Linux 5.18 memory that is not locked only.
  const { value, errno } =
    locked.errno === EINVAL ? callInt('madvise', address, BigInt(length), MADV_DONTNEED) : locked;
  return value < 0 ? errno : 0;
}

/** Keeps each page of the mapping in memory from the moment it is first used. Returns 0 or the errno. */
export function lockOnFault({ address, length }: Pick<MappedMemory, 'address' | 'length'>): number {
  const { value, errno } = callInt('mlock2', address, BigInt(length), MLOCK_ONFAULT);
  return value < 0 ? errno : 0;
}

/** Returns whole free pages of glibc's heap to the system (malloc_trim(3)). */
export function freeToSystem(): void {
  callInt('malloc_trim', 0n);
}

/** Makes an unnamed file of `length` bytes in memory. The caller closes the descriptor. */
export function createMemfd(name: string, length: number): number {
  const fd = checked('memfd_create', name, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    ftruncateSync(fd, length);
  } catch (error) {
    closeDescriptor(fd);
    throw fileError(error, name);
  }
  return fd;
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
