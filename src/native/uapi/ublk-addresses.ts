// include/uapi/linux/ublk_cmd.h, Linux 7.3: numbers that pack several things into one file offset or address.

/** mmap offset of the descriptors of /dev/ublkcN. */
export const UBLKSRV_CMD_BUF_OFFSET = 0;
/** pread/pwrite offset where the requests' data begins (UBLK_F_USER_COPY). */
export const UBLKSRV_IO_BUF_OFFSET = 0x80000000;

export const UBLK_IO_BUF_OFF = 0;
export const UBLK_IO_BUF_BITS = 25;
export const UBLK_IO_BUF_BITS_MASK = 2 ** UBLK_IO_BUF_BITS - 1;
export const UBLK_TAG_OFF = UBLK_IO_BUF_BITS;
export const UBLK_TAG_BITS = 16;
export const UBLK_TAG_BITS_MASK = 2 ** UBLK_TAG_BITS - 1;
export const UBLK_QID_OFF = UBLK_TAG_OFF + UBLK_TAG_BITS;
export const UBLK_QID_BITS = 12;
export const UBLK_QID_BITS_MASK = 2 ** UBLK_QID_BITS - 1;
export const UBLKSRV_IO_BUF_TOTAL_BITS = UBLK_QID_OFF + UBLK_QID_BITS;
export const UBLKSRV_IO_BUF_TOTAL_SIZE = 1n << 53n;
export const UBLK_INTEGRITY_FLAG_OFF = 62;
export const UBLKSRV_IO_INTEGRITY_FLAG = 1n << 62n;

// ublksrv_io_desc.addr when UBLK_IO_F_SHMEM_ZC is set: the offset in the low word, the index in bits 32-47.
export const UBLK_SHMEM_ZC_OFF_MASK = 0xffffffff;
export const UBLK_SHMEM_ZC_IDX_OFF = 32;
export const UBLK_SHMEM_ZC_IDX_MASK = 0xffff;
