// include/uapi/linux/eventpoll.h, Linux 7.3.

export const EPOLLIN = 0x1;
/** Edge-triggered: nobody has to read what was signalled. */
export const EPOLLET = 0x80000000;
