// include/uapi/linux/stat.h and fcntl.h, Linux 7.3: the alignment that direct I/O on a file needs (Linux 6.1 and newer).
import { reserved, struct, u32 } from './struct.ts';

/** In stx_mask: the stx_dio_* fields are asked for, or were filled in. */
export const STATX_DIOALIGN = 0x2000;

/** The path is empty, and the descriptor is the file itself. */
export const AT_EMPTY_PATH = 0x1000;

export const statx = struct('statx', 256, {
  stx_mask: u32(0),
  stx_blksize: u32(4),
  /** Fields that ublkts does not use, as at the end. */
  unused: reserved(8, 144),
  /** The alignment of memory in bytes. If this and the next field are 0, the file has no direct I/O. */
  stx_dio_mem_align: u32(152),
  /** The alignment of offsets and lengths in bytes. */
  stx_dio_offset_align: u32(156),
  unused_end: reserved(160, 96),
});
