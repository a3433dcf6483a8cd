/**
 * Finds the alignment that direct I/O on an open file needs. The kernel reports it; where it does not, reads are tried.
 */
import { ioctl } from '../native/libc/calls.ts';
import { mapAnonymous } from '../native/memory.ts';
import { decode } from '../native/uapi/codec.ts';
import { ERRNO } from '../native/uapi/errno.ts';
import { BLKSSZGET } from '../native/uapi/fs.ts';
import { AT_EMPTY_PATH, STATX_DIOALIGN, statx } from '../native/uapi/stat.ts';
import type { BackingCalls } from './backing-calls.ts';

export interface DirectIo {
  /** Offsets and lengths are multiples of 1 << blockShift bytes: 9 or more. */
  readonly blockShift: number;
  /** Addresses in memory are multiples of this many bytes. */
  readonly memory: number;
}

/**
 * The alignment of a file of `bytes` bytes that was opened with O_DIRECT. Returns null when its file system uses the
 * page cache all the same, or needs larger blocks than ublk can have.
 */
export async function directIoOf(calls: BackingCalls, fd: number, bytes: number): Promise<DirectIo | null> {
  const buffer = new Uint8Array(statx.size);
  const { value } = await calls.int('statx', fd, '', AT_EMPTY_PATH, STATX_DIOALIGN, buffer);
  const { stx_mask, stx_dio_mem_align, stx_dio_offset_align } = decode(statx, buffer);
  // Kernels before 6.1 do not report the alignment, and some file systems never do (vfat, tmpfs).
  if (value < 0 || (stx_mask & STATX_DIOALIGN) === 0) return probed(calls, fd, bytes);
  if (stx_dio_offset_align === 0) return null;
  return { blockShift: shiftOf(stx_dio_offset_align), memory: Math.max(1, stx_dio_mem_align) };
}

/** The sizes of logical blocks that ublk can have, as powers of two: 512 bytes to one page. */
const BLOCK_SHIFTS = [9, 10, 11, 12];

/** Finds the smallest block that can be read, and the smallest alignment of memory, by reading. */
async function probed(calls: BackingCalls, fd: number, bytes: number): Promise<DirectIo | null> {
  const smallest = (await calls.fstat(fd)).isBlockDevice() ? sectorShift(fd) : 9;
  const memory = mapAnonymous(2 << Math.max(...BLOCK_SHIFTS), 'for a first read');
  try {
    const aligned = async (shift: number, at: number) => {
      const offset = offsetOf(1 << shift, bytes);
      const address = memory.address + BigInt(at);
      const { value, errno } = await calls.int('pread', fd, address, BigInt(1 << shift), BigInt(offset));
      // The kernel answers EINVAL to a wrong alignment. No other error says anything about it.
      return value >= 0 || errno !== ERRNO.EINVAL;
    };
    const blockShift = await firstShift((shift) => shift >= smallest && aligned(shift, 0));
    if (blockShift === undefined) return null;
    const memoryShift = await firstShift((shift) => aligned(blockShift, 1 << shift));
    return { blockShift, memory: 1 << (memoryShift ?? Math.max(...BLOCK_SHIFTS)) };
  } finally {
    calls.afterwards(() => memory.unmap());
  }
}

async function firstShift(fits: (shift: number) => boolean | Promise<boolean>): Promise<number | undefined> {
  for (const shift of BLOCK_SHIFTS) if (await fits(shift)) return shift;
  return undefined;
}

/** Where a block is read to try its alignment: not the first one, because offset 0 is aligned to everything. */
function offsetOf(block: number, bytes: number): number {
  return bytes >= 2 * block ? block : 0;
}

function sectorShift(fd: number): number {
  const size = new Uint8Array(4);
  ioctl(fd, BLKSSZGET, size, 'BLKSSZGET');
  return shiftOf(new DataView(size.buffer).getUint32(0, true));
}

function shiftOf(bytes: number): number {
  return Math.max(9, Math.ceil(Math.log2(bytes)));
}
