/** What direct I/O on an open file wants to be aligned to. */
import { fstatSync } from 'node:fs';
import { callInt } from '../native/libc/ffi.ts';
import { ioctl } from '../native/libc/calls.ts';
import { decode } from '../native/uapi/codec.ts';
import { BLKSSZGET } from '../native/uapi/fs.ts';
import { AT_EMPTY_PATH, STATX_DIOALIGN, statx } from '../native/uapi/stat.ts';

export interface DirectIo {
  /** Offsets and lengths are multiples of 1 << blockShift bytes: 9 or more. */
  readonly blockShift: number;
  /** Memory is, of this many bytes. */
  readonly memory: number;
}

/** null: the file was opened with O_DIRECT, but its file system goes through the page cache all the same. */
export function directIoOf(fd: number): DirectIo | null {
  const buffer = new Uint8Array(statx.size);
  const { value } = callInt('statx', fd, '', AT_EMPTY_PATH, STATX_DIOALIGN, buffer);
  const { stx_mask, stx_dio_mem_align, stx_dio_offset_align } = decode(statx, buffer);
  // Kernels before 6.1, and file systems that never say (tmpfs): then what kublk assumes of all of them.
  if (value < 0 || (stx_mask & STATX_DIOALIGN) === 0) return { blockShift: shiftOf(sectorSize(fd)), memory: 1 };
  if (stx_dio_offset_align === 0) return null;
  return { blockShift: shiftOf(stx_dio_offset_align), memory: Math.max(1, stx_dio_mem_align) };
}

function sectorSize(fd: number): number {
  if (!fstatSync(fd).isBlockDevice()) return 512;
  const size = new Uint8Array(4);
  ioctl(fd, BLKSSZGET, size, 'BLKSSZGET');
  return new DataView(size.buffer).getUint32(0, true);
}

function shiftOf(bytes: number): number {
  return Math.max(9, Math.ceil(Math.log2(bytes)));
}
