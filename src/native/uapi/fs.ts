// include/uapi/linux/fs.h and falloc.h, Linux 7.3: requests to backing files and block devices.
import { io, ior, iowr } from './ioc.ts';
import { reserved, struct, u16, u32, u8 } from './struct.ts';

const BLK = 0x12;
export const BLKROSET = io(BLK, 93);
export const BLKROGET = io(BLK, 94);
export const BLKRRPART = io(BLK, 95);
export const BLKFLSBUF = io(BLK, 97);
/** Reads the logical block size into an int. */
export const BLKSSZGET = io(BLK, 104);
/** Reads the size of the device in bytes into a u64. */
export const BLKGETSIZE64 = ior(BLK, 114, 8);
export const BLKDISCARD = io(BLK, 119);
export const BLKIOMIN = io(BLK, 120);
export const BLKIOOPT = io(BLK, 121);
export const BLKALIGNOFF = io(BLK, 122);
/** Reads the physical block size into an unsigned int. */
export const BLKPBSZGET = io(BLK, 123);
export const BLKROTATIONAL = io(BLK, 126);
export const BLKZEROOUT = io(BLK, 127);
export const BLKGETDISKSEQ = ior(BLK, 128, 8);

// logical_block_metadata_cap.lbmd_flags, ublk_param_integrity.flags
export const LBMD_PI_CAP_INTEGRITY = 1 << 0;
export const LBMD_PI_CAP_REFTAG = 1 << 1;

// logical_block_metadata_cap.lbmd_guard_tag_type, ublk_param_integrity.csum_type
export const LBMD_PI_CSUM_NONE = 0;
export const LBMD_PI_CSUM_IP = 1;
export const LBMD_PI_CSUM_CRC16_T10DIF = 2;
export const LBMD_PI_CSUM_CRC64_NVME = 4;

/** The size in bytes of the first published version of logical_block_metadata_cap. */
export const LBMD_SIZE_VER0 = 16;

export const logical_block_metadata_cap = struct('logical_block_metadata_cap', 16, {
  lbmd_flags: u32(0),
  /** The number of bytes of data that each unit of metadata describes. */
  lbmd_interval: u16(4),
  lbmd_size: u8(6),
  lbmd_opaque_size: u8(7),
  lbmd_opaque_offset: u8(8),
  lbmd_pi_size: u8(9),
  lbmd_pi_offset: u8(10),
  lbmd_guard_tag_type: u8(11),
  lbmd_app_tag_size: u8(12),
  lbmd_ref_tag_size: u8(13),
  lbmd_storage_tag_size: u8(14),
  pad: reserved(15, 1),
});

export const FS_IOC_GETLBMD_CAP = iowr(0x15, 2, logical_block_metadata_cap.size);

// io_uring_attr_pi.flags
export const IO_INTEGRITY_CHK_GUARD = 1 << 0;
export const IO_INTEGRITY_CHK_REFTAG = 1 << 1;
export const IO_INTEGRITY_CHK_APPTAG = 1 << 2;

// sqe->rw_flags of IORING_OP_READ and IORING_OP_WRITE
export const RWF_HIPRI = 0x1;
export const RWF_DSYNC = 0x2;
export const RWF_SYNC = 0x4;
export const RWF_NOWAIT = 0x8;
export const RWF_APPEND = 0x10;
export const RWF_NOAPPEND = 0x20;
export const RWF_ATOMIC = 0x40;
export const RWF_DONTCACHE = 0x80;
export const RWF_NOSIGNAL = 0x100;

// sqe->len of IORING_OP_FALLOCATE
export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_ZERO_RANGE = 0x10;

/** Reads the inode flags into a long, of which only 32 bits are used. */
export const FS_IOC_GETFLAGS = ior(0x66, 1, 8);
/** The file's blocks are a tree of extents (ext4). */
export const FS_EXTENT_FL = 0x00080000;

/** The magic number of ext2, ext3 and ext4 (include/uapi/linux/magic.h). */
export const EXT4_SUPER_MAGIC = 0xef53;
export const HUGETLBFS_MAGIC = 0x958458f6;
export const TMPFS_MAGIC = 0x01021994;

// `whence` of lseek(2).
export const SEEK_HOLE = 4;

// Flags of umount2(2).
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
