// include/uapi/linux/ublk_cmd.h, Linux 7.3: struct ublk_params and its parts.
import { nested, reserved, size64, struct, u16, u32, u64, u8 } from './struct.ts';

// ublk_params.types
export const UBLK_PARAM_TYPE_BASIC = 1 << 0;
export const UBLK_PARAM_TYPE_DISCARD = 1 << 1;
export const UBLK_PARAM_TYPE_DEVT = 1 << 2;
export const UBLK_PARAM_TYPE_ZONED = 1 << 3;
export const UBLK_PARAM_TYPE_DMA_ALIGN = 1 << 4;
export const UBLK_PARAM_TYPE_SEGMENT = 1 << 5;
/** Needs UBLK_F_INTEGRITY. */
export const UBLK_PARAM_TYPE_INTEGRITY = 1 << 6;

// ublk_param_basic.attrs
export const UBLK_ATTR_READ_ONLY = 1 << 0;
export const UBLK_ATTR_ROTATIONAL = 1 << 1;
export const UBLK_ATTR_VOLATILE_CACHE = 1 << 2;
export const UBLK_ATTR_FUA = 1 << 3;

/** The least value of max_segment_size and of seg_boundary_mask + 1. */
export const UBLK_MIN_SEGMENT_SIZE = 4096;

export const ublk_param_basic = struct('ublk_param_basic', 32, {
  attrs: u32(0),
  logical_bs_shift: u8(4),
  physical_bs_shift: u8(5),
  io_opt_shift: u8(6),
  io_min_shift: u8(7),
  max_sectors: u32(8),
  chunk_sectors: u32(12),
  dev_sectors: size64(16),
  virt_boundary_mask: u64(24),
});

export const ublk_param_discard = struct('ublk_param_discard', 20, {
  discard_alignment: u32(0),
  discard_granularity: u32(4),
  max_discard_sectors: u32(8),
  max_write_zeroes_sectors: u32(12),
  max_discard_segments: u16(16),
  reserved0: reserved(18, 2),
});

/** Can only be read. The numbers of the disk are known once the device has started. */
export const ublk_param_devt = struct('ublk_param_devt', 16, {
  char_major: u32(0),
  char_minor: u32(4),
  disk_major: u32(8),
  disk_minor: u32(12),
});

export const ublk_param_zoned = struct('ublk_param_zoned', 32, {
  max_open_zones: u32(0),
  max_active_zones: u32(4),
  max_zone_append_sectors: u32(8),
  reserved: reserved(12, 20),
});

export const ublk_param_dma_align = struct('ublk_param_dma_align', 8, {
  alignment: u32(0),
  pad: reserved(4, 4),
});

export const ublk_param_segment = struct('ublk_param_segment', 16, {
  seg_boundary_mask: u64(0),
  max_segment_size: u32(8),
  max_segments: u16(12),
  pad: reserved(14, 2),
});

export const ublk_param_integrity = struct('ublk_param_integrity', 16, {
  /** LBMD_PI_CAP_* */
  flags: u32(0),
  /** 0 means no limit. */
  max_integrity_segments: u16(4),
  interval_exp: u8(6),
  metadata_size: u8(7),
  pi_offset: u8(8),
  /** LBMD_PI_CSUM_* */
  csum_type: u8(9),
  tag_size: u8(10),
  pad: reserved(11, 5),
});

export const ublk_params = struct('ublk_params', 152, {
  len: u32(0),
  types: u32(4),
  basic: nested(8, ublk_param_basic),
  discard: nested(40, ublk_param_discard),
  devt: nested(60, ublk_param_devt),
  zoned: nested(76, ublk_param_zoned),
  dma: nested(108, ublk_param_dma_align),
  seg: nested(120, ublk_param_segment),
  integrity: nested(136, ublk_param_integrity),
});
