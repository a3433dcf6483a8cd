/**
 * Unix sockets that send and receive descriptors (SCM_RIGHTS) and tell which process is connected, as Node's cannot.
 */
import { type MappedMemory, mapAnonymous, PAGE_SIZE } from '../memory.ts';
import { checked, systemError } from './calls.ts';
import { callInt, callLong } from './ffi.ts';
import { encodeAddress } from './socket-address.ts';
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  cmsghdr,
  iovec,
  msghdr,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PEERCRED,
} from '../uapi/socket.ts';
import { ERRNO } from '../uapi/errno.ts';
import { POLLHUP } from '../uapi/poll.ts';

const { EINTR } = ERRNO;

/** Positions in the buffer of a call: struct msghdr, struct iovec and the control messages, and then the bytes. */
const HEADER_AT = 0;
const IOVEC_AT = 64;
const CONTROL_AT = 128;
const CONTROL_MAX = 512;
const BYTES_AT = PAGE_SIZE;

const { msg_iov, msg_iovlen, msg_control, msg_controllen } = msghdr.fields;
const { cmsg_level, cmsg_type } = cmsghdr.fields;
const CMSG_HEADER = cmsghdr.size;

export interface Received {
  /**
   * The number of bytes read, 0 when the peer has closed its end, or -errno (-EAGAIN when there is nothing to read).
   */
  readonly result: number;
  readonly bytes: Buffer;
  /** The descriptors that came with the bytes. The caller closes them. */
  readonly fds: number[];
}

/** Sends and receives messages with descriptors through one mapped buffer, so only one call at a time can use it. */
export class MessageBuffer {
  readonly #memory: MappedMemory;
  readonly #view: DataView;
  readonly #capacity: number;

  /** `capacity` is the largest number of bytes of one call. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#memory = mapAnonymous(BYTES_AT + capacity, 'of a message buffer');
    const { buffer, byteOffset, byteLength } = this.#memory.bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  /**
   * Reads what `socket` has now, without waiting. There is room for more descriptors than a client has a reason to
   * send. The kernel closes those that do not fit (MSG_CTRUNC).
   */
  receive(socket: number): Received {
    this.#prepare(this.#capacity, CONTROL_MAX);
    const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
    const header = this.#memory.address + BigInt(HEADER_AT);
    for (;;) {
      const { value, errno } = callLong('recvmsg', socket, header, flags);
      const result = Number(BigInt.asIntN(64, value));
      if (result < 0 && errno === EINTR) continue;
      const bytes = Buffer.from(this.#memory.bytes.subarray(BYTES_AT, BYTES_AT + Math.max(result, 0)));
      return { result: result < 0 ? -errno : result, bytes, fds: result < 0 ? [] : this.#receivedFds() };
    }
  }

  /** Sends `bytes` and copies of `fds` as one message. */
  send(socket: number, bytes: Uint8Array, fds: readonly number[]): void {
    const controlBytes = fds.length === 0 ? 0 : CMSG_HEADER + Math.ceil((fds.length * 4) / 8) * 8;
    if (bytes.length > this.#capacity || controlBytes > CONTROL_MAX) throw new RangeError('the message is too long');
    this.#prepare(bytes.length, controlBytes);
    this.#memory.bytes.set(bytes, BYTES_AT);
    if (fds.length > 0) {
      this.#view.setBigUint64(CONTROL_AT, BigInt(CMSG_HEADER + fds.length * 4), true);
      this.#view.setInt32(CONTROL_AT + cmsg_level.offset, SOL_SOCKET, true);
      this.#view.setInt32(CONTROL_AT + cmsg_type.offset, SCM_RIGHTS, true);
      fds.forEach((fd, i) => this.#view.setInt32(CONTROL_AT + CMSG_HEADER + i * 4, fd, true));
    }
    const header = this.#memory.address + BigInt(HEADER_AT);
    const { value, errno } = callLong('sendmsg', socket, header, MSG_NOSIGNAL);
    const sent = Number(BigInt.asIntN(64, value));
    if (sent < 0) throw systemError('sendmsg', errno, 'of a descriptor');
    if (sent !== bytes.length) throw systemError('sendmsg', 0, `took ${sent} of ${bytes.length} bytes`);
  }

  close(): void {
    this.#memory.unmap();
  }

  #prepare(bytes: number, controlBytes: number): void {
    const { address } = this.#memory;
    const view = this.#view;
    this.#memory.bytes.fill(0, 0, BYTES_AT);
    view.setBigUint64(HEADER_AT + msg_iov.offset, address + BigInt(IOVEC_AT), true);
    view.setBigUint64(HEADER_AT + msg_iovlen.offset, 1n, true);
    view.setBigUint64(HEADER_AT + msg_control.offset, controlBytes === 0 ? 0n : address + BigInt(CONTROL_AT), true);
    view.setBigUint64(HEADER_AT + msg_controllen.offset, BigInt(controlBytes), true);
    view.setBigUint64(IOVEC_AT, address + BigInt(BYTES_AT), true);
    view.setBigUint64(IOVEC_AT + iovec.fields.iov_len.offset, BigInt(bytes), true);
  }

  #receivedFds(): number[] {
    const view = this.#view;
    const end = CONTROL_AT + Number(view.getBigUint64(HEADER_AT + msg_controllen.offset, true));
    const fds: number[] = [];
    for (let at = CONTROL_AT; at + CMSG_HEADER <= end; ) {
      const length = Number(view.getBigUint64(at, true));
      if (length < CMSG_HEADER) break;
      if (
        view.getInt32(at + cmsg_level.offset, true) === SOL_SOCKET &&
        view.getInt32(at + cmsg_type.offset, true) === SCM_RIGHTS
      ) {
        for (let fd = at + CMSG_HEADER; fd + 4 <= at + length; fd += 4) fds.push(view.getInt32(fd, true));
      }
      at += Math.ceil(length / 8) * 8;
    }
    return fds;
  }
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
}

/** The process that connected, as the kernel recorded it at that time. */
export function peerCredentials(socket: number): PeerCredentials {
  const ucred = new Uint8Array(12);
  const length = new Uint8Array(new Uint32Array([ucred.length]).buffer);
  checked('getsockopt', 'SO_PEERCRED', socket, SOL_SOCKET, SO_PEERCRED, ucred, length);
  const view = new DataView(ucred.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true) };
}

/** Whether the other end has closed the connection. One that has only stopped sending may still wait for an answer. */
export function isHungUp(socket: number): boolean {
  // A struct pollfd, which asks for nothing but what poll always tells: fd, events, revents.
  const asked = new Int32Array([socket, 0]);
  callInt('poll', new Uint8Array(asked.buffer), 1n, 0);
  return ((asked[1]! >> 16) & POLLHUP) !== 0;
}

/**
 * Connects a stream socket to `path`. With `wait` off it never blocks, and fails with EAGAIN when too many wait to be
 * accepted. The caller closes the descriptor.
 */
export function connectUnix(path: string, wait = true): number {
  const address = encodeAddress({ family: 'unix', path });
  const socket = checked('socket', '', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
  const { value, errno } = callInt('connect', socket, address, address.length);
  if (value < 0) {
    callInt('close', socket);
    throw systemError('connect', errno, `to ${path}`);
  }
  return socket;
}
