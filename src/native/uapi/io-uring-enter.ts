// include/uapi/linux/io_uring.h, Linux 7.3: flags of io_uring_enter(2) and of the two rings.

export const IORING_ENTER_GETEVENTS = 1 << 0;
export const IORING_ENTER_SQ_WAKEUP = 1 << 1;
export const IORING_ENTER_SQ_WAIT = 1 << 2;
export const IORING_ENTER_EXT_ARG = 1 << 3;
export const IORING_ENTER_REGISTERED_RING = 1 << 4;
export const IORING_ENTER_ABS_TIMER = 1 << 5;
export const IORING_ENTER_EXT_ARG_REG = 1 << 6;
export const IORING_ENTER_NO_IOWAIT = 1 << 7;

// sq_ring->flags, set by the kernel
export const IORING_SQ_NEED_WAKEUP = 1 << 0;
export const IORING_SQ_CQ_OVERFLOW = 1 << 1;
export const IORING_SQ_TASKRUN = 1 << 2;

// cq_ring->flags, set by the application
export const IORING_CQ_EVENTFD_DISABLED = 1 << 0;
