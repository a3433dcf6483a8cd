// include/uapi/asm-generic/poll.h, Linux 7.3.

/** Both directions of the connection have ended. */
export const POLLHUP = 0x10;
