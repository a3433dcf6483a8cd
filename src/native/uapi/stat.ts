// include/uapi/linux/stat.h and fcntl.h, Linux 7.3: what direct I/O on a file wants (Linux 6.1 and newer answer).
import { reserved, struct, u32 } from './struct.ts';

/** stx_mask: the stx_dio_* fields are wanted, or were filled in. */
export const STATX_DIOALIGN = 0x2000;

/** The path is empty: the file is the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;

export const statx = struct('statx', 256, {
  stx_mask: u32(0),
  stx_blksize: u32(4),
  /** Here and at the end: fields that nobody asks for. */
  unused: reserved(8, 144),
  /** Alignment of memory, bytes; 0 in both: no direct I/O on this file. */
  stx_dio_mem_align: u32(152),
  /** Alignment of offsets and lengths, bytes. */
  stx_dio_offset_align: u32(156),
  unused_end: reserved(160, 96),
});
