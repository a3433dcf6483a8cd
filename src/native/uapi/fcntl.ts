// include/uapi/asm-generic/fcntl.h and linux/fcntl.h, Linux 7.3: what Node has no constants for.
import { constants } from 'node:fs';

export const O_RDONLY = 0;
export const O_ACCMODE = 3;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_CLOEXEC = 0o2000000;
/** O_DIRECTORY depends on the architecture. */
export const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_DUPFD_CLOEXEC = 1030;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;

export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

export const LOCK_EX = 2;
export const LOCK_NB = 4;

export const F_SEAL_SHRINK = 0x2;
export const F_SEAL_GROW = 0x4;
export const F_SEAL_WRITE = 0x8;
export const F_SEAL_FUTURE_WRITE = 0x10;
