/** Files in memory that programs share, with huge pages where the kernel has them. */
import { setImmediate } from 'node:timers/promises';
import { mmap, munmap } from './libc/calls.ts';
import { callInt } from './libc/ffi.ts';
import { type MappedMemory, type MapOptions, mapFile } from './memory.ts';
import {
  MADV_COLLAPSE,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MAP_ANONYMOUS,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PROT_NONE,
} from './uapi/mman.ts';

/** The size of a huge page on a processor whose ordinary pages have 4 KiB. */
const HUGE_PAGE = 2n << 20n;
/** How much `fill` asks for before it lets the event loop run: some 50 ms of work. */
const PIECE_BYTES = 64 << 20;

export interface Filling {
  readonly readOnly: boolean;
  /**
   * Whether each whole 2 MiB gets a huge page, if the kernel finds one. The control group of this process pays for it,
   * whoever paid for the small ones before. It is for files on tmpfs and memfds, which are mapped by `mapAligned`.
   */
  readonly inHugePages: boolean;
  /** Is asked every 64 MiB: the rest stays as it is when nobody wants the memory any more. */
  readonly isWanted?: (() => boolean) | undefined;
}

/**
 * Gives each page of a mapped file its memory. The fewer pages a buffer has, the fewer segments a large request has, and
 * each of them costs the driver a look-up. The event loop goes on meanwhile, as 4 GiB take seconds. Returns 0 or the
 * errno: whoever touches a page that cannot have memory is killed.
 */
export async function fill(
  { address, length }: MappedMemory,
  { readOnly, inHugePages, isWanted = () => true }: Filling,
): Promise<number> {
  for (let at = 0; at < length && isWanted(); at += PIECE_BYTES) {
    const [from, bytes] = [address + BigInt(at), BigInt(Math.min(PIECE_BYTES, length - at))];
    const { value, errno } = callInt('madvise', from, bytes, readOnly ? MADV_POPULATE_READ : MADV_POPULATE_WRITE);
    if (value < 0) return errno;
    // The kernel makes huge pages only of small ones that have memory already. Where it cannot, the small ones stay.
    if (inHugePages) callInt('madvise', from, bytes, MADV_COLLAPSE);
    await setImmediate();
  }
  return 0;
}

/** Maps `fd` at an address that is a multiple of 2 MiB: the kernel maps a huge page nowhere else. `what` names it in errors. */
export function mapAligned(fd: number, length: number, what: string, options: MapOptions): MappedMemory {
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
