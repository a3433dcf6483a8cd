// include/uapi/linux/prctl.h and sched.h, Linux 7.3: how the kernel treats a process.

export const PR_SET_IO_FLUSHER = 57;

/** SCHED_NORMAL in the kernel. */
export const SCHED_OTHER = 0;
export const SCHED_BATCH = 3;

/**
 * The bytes of a CPU mask as it is passed to the kernel: bits for 4,096 CPUs. The kernel takes a mask that is longer than its
 * own, and refuses one that has fewer bits than the machine can have CPUs (EINVAL). glibc's cpu_set_t has 128 bytes.
 */
export const CPU_MASK_BYTES = 512;
