// include/linux/socket.h and include/uapi/asm-generic/socket.h, in.h, tcp.h, un.h, if.h and sockios.h, Linux 7.3, as
// <sys/socket.h> and its like have them: sockets, their options and messages.
import { s32, struct, u32, u64 } from './struct.ts';

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** The size of sun_path in bytes. */
export const UNIX_PATH_MAX = 108;

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SHUT_RDWR = 2;

export const SOL_SOCKET = 1;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_PEERCRED = 17;
/** The type of a control message that carries descriptors. */
export const SCM_RIGHTS = 1;

export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_INFO = 11;

export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;
/** More follows at once: TCP does not send a segment for this alone. */
export const MSG_MORE = 0x8000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** The size of the name of a network interface in bytes. */
export const IFNAMSIZ = 16;
/** Reads the index of the interface that a struct ifreq names. */
export const SIOCGIFINDEX = 0x8933;

export const iovec = struct('iovec', 16, { iov_base: u64(0), iov_len: u64(8) });

export const msghdr = struct('msghdr', 56, {
  msg_name: u64(0),
  msg_namelen: u32(8),
  msg_iov: u64(16),
  msg_iovlen: u64(24),
  msg_control: u64(32),
  msg_controllen: u64(40),
  msg_flags: s32(48),
});

/** The head of a control message. Its data follows, and the next one begins at a multiple of 8 bytes. */
export const cmsghdr = struct('cmsghdr', 16, { cmsg_len: u64(0), cmsg_level: s32(8), cmsg_type: s32(12) });
