// include/uapi/linux/ublk_cmd.h, Linux 7.3: the structs of commands and requests.
import { reserved, s32, size64, struct, u16, u32, u64, u8 } from './struct.ts';

/** The argument of a control command, in the 80 command bytes of a 128-byte SQE. */
export const ublksrv_ctrl_cmd = struct('ublksrv_ctrl_cmd', 32, {
  dev_id: u32(0),
  /** 0xffff when the command is not for a queue. */
  queue_id: u16(4),
  len: u16(6),
  addr: u64(8),
  /** `data[0]`, the only element. */
  data: u64(16),
  dev_path_len: u16(24),
  pad: reserved(26, 2),
  reserved: reserved(28, 4),
});

export const ublksrv_ctrl_dev_info = struct('ublksrv_ctrl_dev_info', 64, {
  nr_hw_queues: u16(0),
  queue_depth: u16(2),
  state: u16(4),
  io_desc_size: u16(6),
  max_io_buf_bytes: u32(8),
  dev_id: u32(12),
  ublksrv_pid: s32(16),
  pad1: reserved(20, 4),
  flags: u64(24),
  ublksrv_flags: u64(32),
  owner_uid: u32(40),
  owner_gid: u32(44),
  reserved1: reserved(48, 8),
  reserved2: reserved(56, 8),
});

export const ublk_shmem_buf_reg = struct('ublk_shmem_buf_reg', 24, {
  addr: u64(0),
  len: size64(8),
  flags: u32(16),
  reserved: reserved(20, 4),
});

/** The descriptor of one request. The descriptors are mapped from /dev/ublkcN. */
export const ublksrv_io_desc = struct(
  'ublksrv_io_desc',
  24,
  {
    /** The operation in bits 0-7 and the flags (UBLK_IO_F_*) in bits 8-31. */
    op_flags: u32(0),
    nr_sectors: u32(4),
    start_sector: size64(8),
    addr: u64(16),
  },
  { nr_zones: u32(4) },
);

/** The argument of an I/O command, in the 16 command bytes of its SQE. */
export const ublksrv_io_cmd = struct(
  'ublksrv_io_cmd',
  16,
  {
    q_id: u16(0),
    tag: u16(2),
    result: s32(4),
    addr: u64(8),
  },
  { zone_append_lba: u64(8) },
);

/** This struct is never in memory as such. It is packed into sqe->addr (ublk-addresses.ts). */
export const ublk_auto_buf_reg = struct('ublk_auto_buf_reg', 8, {
  index: u16(0),
  flags: u8(2),
  reserved0: reserved(3, 1),
  reserved1: reserved(4, 4),
});

export const ublk_elem_header = struct('ublk_elem_header', 8, {
  tag: u16(0),
  buf_index: u16(2),
  result: s32(4),
});

/** The argument of a batch command, in the 16 command bytes of its SQE. */
export const ublk_batch_io = struct('ublk_batch_io', 16, {
  q_id: u16(0),
  flags: u16(2),
  nr_elem: u16(4),
  elem_bytes: u8(6),
  reserved: reserved(7, 1),
  reserved2: reserved(8, 8),
});
