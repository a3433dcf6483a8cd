/** Mapped memory: an address that the kernel can be given, and typed-array views of the same bytes. */
import { closeSync, ftruncateSync } from 'node:fs';
import { checked, mmap, munmap } from './libc/calls.ts';
import { callInt, viewOf } from './libc/ffi.ts';

export const PAGE_SIZE = 4096;

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MADV_NOHUGEPAGE = 15;
const MAP_POPULATE = 0x8000;

export interface MapOptions {
  readonly readOnly?: boolean;
  /** Fault every page in now, so that no request does. */
  readonly populate?: boolean;
  readonly offset?: bigint;
}

/**
 * One mapping. The views are made when first asked for: a mapping whose bytes only the kernel touches (a client's
 * shared buffer) never has one, and so can never raise SIGBUS here when its file is cut short.
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

  /** Int32 view, `byteOffset` a multiple of 4. */
  words(byteOffset = 0, length = (this.length - byteOffset) >> 2): Int32Array {
    return new Int32Array(this.bytes.buffer, this.bytes.byteOffset + byteOffset, length);
  }

  /** The views must not be used any more. */
  unmap(): void {
    munmap(this.address, BigInt(this.length));
  }
}

/** Shared mapping of `fd`. */
export function mapFile(fd: number, length: number, what: string, options: MapOptions = {}): MappedMemory {
  const prot = options.readOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  const flags = MAP_SHARED | (options.populate ? MAP_POPULATE : 0);
  return new MappedMemory(mmap(BigInt(length), prot, flags, fd, options.offset ?? 0n, what), length);
}

/** Read-only shared mapping of `fd` that takes the place of what is mapped at `address`. */
export function mapFileOver(address: bigint, fd: number, length: number, offset: bigint, what: string): void {
  const flags = MAP_SHARED | MAP_POPULATE | MAP_FIXED;
  mmap(BigInt(length), PROT_READ, flags, fd, offset, what, address);
}

/**
 * Zeroed private memory; pages cost nothing until they are touched, and then a page each: where the system gives huge
 * pages to everyone, the first 4k request in an I/O buffer would clear 2 MiB, and a quiet device would hold hundreds.
 */
export function mapAnonymous(length: number, what: string): MappedMemory {
  const rounded = roundUp(length, PAGE_SIZE);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  const address = mmap(BigInt(rounded), PROT_READ | PROT_WRITE, flags, -1, 0n, what);
  callInt('madvise', address, BigInt(rounded), MADV_NOHUGEPAGE);
  return new MappedMemory(address, rounded);
}

/**
 * Takes the memory away and leaves zeroed private pages in its place: for addresses that someone may still have a view
 * of. They cost nothing until they are touched, and are never given back.
 */
export function hollow({ address, length }: MappedMemory, what: string): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  mmap(BigInt(length), PROT_READ | PROT_WRITE, flags, -1, 0n, what, address);
}

const MADV_POPULATE_WRITE = 23;

/** Backs every page of the mapping with memory now. Returns 0 or the errno. */
export function populate({ address, length }: MappedMemory): number {
  const { value, errno } = callInt('madvise', address, BigInt(length), MADV_POPULATE_WRITE);
  return value < 0 ? errno : 0;
}

const MLOCK_ONFAULT = 1;

/** Keeps each page of the mapping in memory from the moment it is first used. Returns 0 or the errno. */
export function lockOnFault({ address, length }: Pick<MappedMemory, 'address' | 'length'>): number {
  const { value, errno } = callInt('mlock2', address, BigInt(length), MLOCK_ONFAULT);
  return value < 0 ? errno : 0;
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;

/** An unnamed file of `length` bytes in memory; the descriptor is the caller's. */
export function createMemfd(name: string, length: number): number {
  const fd = checked('memfd_create', name, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    ftruncateSync(fd, length);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
