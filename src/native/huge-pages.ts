/** Maps a file in memory that programs share, with huge pages where the kernel has them. */
import { mmap, munmap } from './libc/calls.ts';
import { callInt } from './libc/ffi.ts';
import { type MappedMemory, type MapOptions, mapFile } from './memory.ts';
import { MADV_COLLAPSE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE } from './uapi/mman.ts';

/** Of a processor with pages of 4 KiB. */
const HUGE_PAGE = 2n << 20n;

/**
 * Maps `fd`, a file on tmpfs or a memfd, and gives each of its pages memory now. The fewer pages a buffer has, the fewer
 * segments a large request has, and each of them costs the driver a look-up. Each whole 2 MiB has a huge page if the
 * kernel finds one; the rest has small ones. `what` names the mapping in errors.
 *
 * The control group of this process pays for a huge page, whoever paid for the small ones before.
 */
export function mapInHugePages(fd: number, length: number, what: string, { readOnly = false } = {}): MappedMemory {
  const memory = mapAligned(fd, length, what, { readOnly, populate: true });
  // The kernel makes huge pages of small ones that are there already. Where it cannot, the small ones stay.
  callInt('madvise', memory.address, BigInt(length), MADV_COLLAPSE);
  return memory;
}

/** At an address that is a multiple of 2 MiB: the kernel maps a huge page nowhere else. */
function mapAligned(fd: number, length: number, what: string, options: MapOptions): MappedMemory {
  const size = BigInt(length);
  const room = mmap(size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0n, what);
  const before = -room & (HUGE_PAGE - 1n);
  try {
    return mapFile(fd, length, what, { ...options, at: room + before });
  } catch (error) {
    munmap(room + before, size);
    throw error;
  } finally {
    if (before > 0n) munmap(room, before);
    munmap(room + before + size, HUGE_PAGE - before);
  }
}
