// include/uapi/linux/io_uring.h, Linux 7.3: cqe->flags.

export const IORING_CQE_F_BUFFER = 1 << 0;
export const IORING_CQE_F_MORE = 1 << 1;
export const IORING_CQE_F_SOCK_NONEMPTY = 1 << 2;
export const IORING_CQE_F_NOTIF = 1 << 3;
export const IORING_CQE_F_BUF_MORE = 1 << 4;
export const IORING_CQE_F_SKIP = 1 << 5;
export const IORING_CQE_F_32 = 1 << 15;
export const IORING_CQE_BUFFER_SHIFT = 16;

/** A flag in cqe->res of an IORING_CQE_F_NOTIF completion. The other bits are reserved. */
export const IORING_NOTIF_USAGE_ZC_COPIED = 0x80000000;
