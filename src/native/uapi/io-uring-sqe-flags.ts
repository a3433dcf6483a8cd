// include/uapi/linux/io_uring.h, Linux 7.3: the flag words of an SQE.

// sqe->flags
export const IOSQE_FIXED_FILE = 1 << 0;
export const IOSQE_IO_DRAIN = 1 << 1;
export const IOSQE_IO_LINK = 1 << 2;
export const IOSQE_IO_HARDLINK = 1 << 3;
export const IOSQE_ASYNC = 1 << 4;
export const IOSQE_BUFFER_SELECT = 1 << 5;
export const IOSQE_CQE_SKIP_SUCCESS = 1 << 6;

/** For sqe->file_index: the kernel chooses the direct descriptor and returns it in cqe->res. */
export const IORING_FILE_INDEX_ALLOC = 0xffffffff;

// sqe->attr_type_mask
export const IORING_RW_ATTR_FLAG_PI = 1 << 0;

// sqe->uring_cmd_flags
export const IORING_URING_CMD_FIXED = 1 << 0;
export const IORING_URING_CMD_MULTISHOT = 1 << 1;
export const IORING_URING_CMD_MASK = IORING_URING_CMD_FIXED | IORING_URING_CMD_MULTISHOT;

// sqe->fsync_flags
export const IORING_FSYNC_DATASYNC = 1 << 0;

// sqe->timeout_flags
export const IORING_TIMEOUT_ABS = 1 << 0;
export const IORING_TIMEOUT_UPDATE = 1 << 1;
export const IORING_TIMEOUT_BOOTTIME = 1 << 2;
export const IORING_TIMEOUT_REALTIME = 1 << 3;
export const IORING_LINK_TIMEOUT_UPDATE = 1 << 4;
export const IORING_TIMEOUT_ETIME_SUCCESS = 1 << 5;
export const IORING_TIMEOUT_MULTISHOT = 1 << 6;
export const IORING_TIMEOUT_IMMEDIATE_ARG = 1 << 7;
export const IORING_TIMEOUT_CLOCK_MASK = IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME;
export const IORING_TIMEOUT_UPDATE_MASK = IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE;

// sqe->splice_flags
export const SPLICE_F_FD_IN_FIXED = 0x80000000;

// POLL_ADD and POLL_REMOVE: sqe->len
export const IORING_POLL_ADD_MULTI = 1 << 0;
export const IORING_POLL_UPDATE_EVENTS = 1 << 1;
export const IORING_POLL_UPDATE_USER_DATA = 1 << 2;
export const IORING_POLL_ADD_LEVEL = 1 << 3;

// sqe->cancel_flags
export const IORING_ASYNC_CANCEL_ALL = 1 << 0;
export const IORING_ASYNC_CANCEL_FD = 1 << 1;
export const IORING_ASYNC_CANCEL_ANY = 1 << 2;
export const IORING_ASYNC_CANCEL_FD_FIXED = 1 << 3;
export const IORING_ASYNC_CANCEL_USERDATA = 1 << 4;
export const IORING_ASYNC_CANCEL_OP = 1 << 5;

// send and recv: sqe->ioprio
export const IORING_RECVSEND_POLL_FIRST = 1 << 0;
export const IORING_RECV_MULTISHOT = 1 << 1;
export const IORING_RECVSEND_FIXED_BUF = 1 << 2;
export const IORING_SEND_ZC_REPORT_USAGE = 1 << 3;
export const IORING_RECVSEND_BUNDLE = 1 << 4;
export const IORING_SEND_VECTORIZED = 1 << 5;

// accept: sqe->ioprio
export const IORING_ACCEPT_MULTISHOT = 1 << 0;
export const IORING_ACCEPT_DONTWAIT = 1 << 1;
export const IORING_ACCEPT_POLL_FIRST = 1 << 2;

// MSG_RING command: sqe->addr
export const IORING_MSG_DATA = 0;
export const IORING_MSG_SEND_FD = 1;

// sqe->msg_ring_flags
export const IORING_MSG_RING_CQE_SKIP = 1 << 0;
export const IORING_MSG_RING_FLAGS_PASS = 1 << 1;

// sqe->install_fd_flags
export const IORING_FIXED_FD_NO_CLOEXEC = 1 << 0;

// sqe->nop_flags
export const IORING_NOP_INJECT_RESULT = 1 << 0;
export const IORING_NOP_FILE = 1 << 1;
export const IORING_NOP_FIXED_FILE = 1 << 2;
export const IORING_NOP_FIXED_BUFFER = 1 << 3;
export const IORING_NOP_TW = 1 << 4;
export const IORING_NOP_CQE32 = 1 << 5;
