// include/uapi/linux/ublk_cmd.h, Linux 7.3: the values in a request (ublksrv_io_desc) and in the answer of a server.

// ublksrv_io_desc.op_flags, bits 0-7.
export const UBLK_IO_OP_READ = 0;
export const UBLK_IO_OP_WRITE = 1;
export const UBLK_IO_OP_FLUSH = 2;
export const UBLK_IO_OP_DISCARD = 3;
export const UBLK_IO_OP_WRITE_SAME = 4;
export const UBLK_IO_OP_WRITE_ZEROES = 5;
export const UBLK_IO_OP_ZONE_OPEN = 10;
export const UBLK_IO_OP_ZONE_CLOSE = 11;
export const UBLK_IO_OP_ZONE_FINISH = 12;
export const UBLK_IO_OP_ZONE_APPEND = 13;
export const UBLK_IO_OP_ZONE_RESET_ALL = 14;
export const UBLK_IO_OP_ZONE_RESET = 15;
export const UBLK_IO_OP_REPORT_ZONES = 18;

// Flags in ublksrv_io_desc.op_flags. In the header they are bits of the whole word, so compare them with op_flags itself and not
// with ublksrv_get_flags(), which shifts the word down by eight bits.
export const UBLK_IO_F_FAILFAST_DEV = 1 << 8;
export const UBLK_IO_F_FAILFAST_TRANSPORT = 1 << 9;
export const UBLK_IO_F_FAILFAST_DRIVER = 1 << 10;
export const UBLK_IO_F_META = 1 << 11;
export const UBLK_IO_F_FUA = 1 << 13;
export const UBLK_IO_F_NOUNMAP = 1 << 15;
export const UBLK_IO_F_SWAP = 1 << 16;
/** Automatic registration failed and UBLK_AUTO_BUF_REG_FALLBACK was given, so the server has to register the buffer. */
export const UBLK_IO_F_NEED_REG_BUF = 1 << 17;
export const UBLK_IO_F_INTEGRITY = 1 << 18;
/** The data is in a registered shared buffer and was not copied. addr is an index and an offset (ublk-addresses.ts). */
export const UBLK_IO_F_SHMEM_ZC = 1 << 19;

// The results in the CQE of an I/O command.
export const UBLK_IO_RES_OK = 0;
export const UBLK_IO_RES_NEED_GET_DATA = 1;
/** -ENODEV: the slot must not be fetched again. */
export const UBLK_IO_RES_ABORT = -19;

// ublk_auto_buf_reg.flags
export const UBLK_AUTO_BUF_REG_FALLBACK = 1 << 0;
export const UBLK_AUTO_BUF_REG_F_MASK = UBLK_AUTO_BUF_REG_FALLBACK;

// ublk_batch_io.flags
export const UBLK_BATCH_F_HAS_ZONE_LBA = 1 << 0;
export const UBLK_BATCH_F_HAS_BUF_ADDR = 1 << 1;
export const UBLK_BATCH_F_AUTO_BUF_REG_FALLBACK = 1 << 2;

/** The operation, as the header's inline function returns it. */
export function ublksrv_get_op(op_flags: number): number {
  return op_flags & 0xff;
}

/** The flags shifted down to bit 0, as the header's inline function returns them. UBLK_IO_F_* are not shifted. */
export function ublksrv_get_flags(op_flags: number): number {
  return op_flags >>> 8;
}
