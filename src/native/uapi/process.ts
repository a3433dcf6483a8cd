// include/uapi/linux/prctl.h and sched.h, Linux 7.3: how the kernel treats a process.

export const PR_SET_IO_FLUSHER = 57;

/** SCHED_NORMAL in the kernel. */
export const SCHED_OTHER = 0;
export const SCHED_BATCH = 3;
