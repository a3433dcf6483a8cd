/**
 * Stream sockets of our own, whose descriptors io_uring can use; Node keeps the descriptors of its own to itself.
 */
import { ERRNO } from '../uapi/errno.ts';
import { checked, closeDescriptor, ioctl, systemError } from './calls.ts';
import { callInt } from './ffi.ts';
import { encodeAddress, type SocketAddress } from './socket-address.ts';
import {
  AF_UNIX,
  IFNAMSIZ,
  IPPROTO_TCP,
  SHUT_RDWR,
  SIOCGIFINDEX,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_LINGER,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../uapi/socket.ts';
import { F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, O_NONBLOCK } from '../uapi/fcntl.ts';

/** A struct ifreq: a name, and behind it what is asked. */
const IFREQ_BYTES = 40;

/** How long an idle TCP connection may be silent before it is taken for dead. */
export interface TcpLimits {
  /** Seconds without traffic until the first probe, and between probes. */
  readonly idleSeconds: number;
  readonly probeSeconds: number;
  readonly probes: number;
}

/**
 * Begins to connect a non-blocking socket and returns its descriptor, which the caller closes. Whether the connection
 * succeeds is seen when it is first read.
 */
export function startConnecting(address: SocketAddress, limits: TcpLimits): number {
  const name = encodeAddress(address);
  const family = name[0]! | (name[1]! << 8);
  const fd = checked('socket', '', family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  try {
    if (address.family === 'ip') setTcpOptions(fd, limits);
    const { value, errno } = callInt('connect', fd, name, name.length);
    if (value < 0 && errno !== ERRNO.EINPROGRESS) throw systemError('connect', errno, '');
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** The index of a network interface. Throws a UblkError (ENODEV) when there is none of this name. */
export function interfaceIndex(name: string): number {
  const bytes = new TextEncoder().encode(name);
  const request = new Uint8Array(IFREQ_BYTES);
  if (bytes.length >= IFNAMSIZ) throw systemError('ioctl', ERRNO.ENODEV, name);
  request.set(bytes);
  const fd = checked('socket', '', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    ioctl(fd, SIOCGIFINDEX, request, name);
  } finally {
    closeDescriptor(fd);
  }
  return new DataView(request.buffer).getInt32(IFNAMSIZ, true);
}

/** Makes two sockets that are connected to each other. The caller closes both; programs that it starts inherit neither. */
export function socketPair(): [number, number] {
  const ends = new Int32Array(2);
  checked('socketpair', '', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, new Uint8Array(ends.buffer));
  return [ends[0]!, ends[1]!];
}

/** Another descriptor of the same socket. */
export function duplicate(fd: number): number {
  return checked('fcntl', 'F_DUPFD_CLOEXEC', fd, F_DUPFD_CLOEXEC, 0n);
}

/** Whether calls on the socket that do not say otherwise wait, or fail with EAGAIN, from now on. */
export function setBlocking(fd: number, isBlocking: boolean): void {
  const flags = checked('fcntl', 'F_GETFL', fd, F_GETFL, 0n);
  const wanted = isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  checked('fcntl', 'F_SETFL', fd, F_SETFL, BigInt(wanted));
}

/** Ends the connection in both directions: calls that wait on the socket return. */
export function shutDown(fd: number): void {
  callInt('shutdown', fd, SHUT_RDWR);
}

/**
 * Ends the connection as `shutDown` does, and lets the kernel drop the data that it has not delivered when the socket
 * is closed. Otherwise the kernel would try to deliver it for minutes.
 */
export function abandon(fd: number): void {
  // A struct linger: on, 0 seconds.
  const linger = new Uint8Array(Int32Array.of(1, 0).buffer);
  callInt('setsockopt', fd, SOL_SOCKET, SO_LINGER, linger, linger.length);
  shutDown(fd);
}

function setTcpOptions(fd: number, limits: TcpLimits): void {
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, limits.idleSeconds);
  setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, limits.probeSeconds);
  setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, limits.probes);
}

function setOption(fd: number, level: number, name: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked('setsockopt', `${level} ${name}`, fd, level, name, bytes, bytes.length);
}
