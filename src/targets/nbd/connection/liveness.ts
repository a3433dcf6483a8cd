/**
 * Tells a TCP connection whose other end is gone from one whose server is only slow. A server that reads nothing for
 * minutes still acknowledges the probes of the kernel, and its connection must not be ended: it may hold writes that it
 * has received and not yet served, which would reach the disk after the same writes on another connection. So the limit
 * TCP_USER_TIMEOUT, which counts the time without progress, is not used. For idle connections there is keepalive.
 */
import { hollow, type MappedMemory, mapAnonymous } from '../../../native/memory.ts';
import { type TcpSigns, tcpSignsOf } from '../../../native/libc/tcp-info.ts';
import { encode } from '../../../native/uapi/codec.ts';
import { kernel_timespec } from '../../../native/uapi/io-uring-structs.ts';
import { wordsOf } from '../../../native/words64.ts';
import type { TargetRing } from '../../target.ts';

/** How often a connection is looked at. It is looked at more often if requests must be answered within seconds. */
export const LOOK_SECONDS = 5;
/** A device with several connections looks at each this often: what one has learned of the server concerns the others too. */
const LOOK_SECONDS_BESIDE_OTHERS = 1;
const LOOKS_PER_LIMIT = 4;
/** A connection is given up when nothing has come for this time although an answer was due. */
const SILENT_MS = 30_000;
/** The kernel must also have tried this often in a row without an answer. */
const TRIES = 3;

export const SILENT = `the server's machine has not answered for ${SILENT_MS / 1000} s`;

/** Whether the other end is gone: neither retransmissions nor probes were answered. */
export function isSilent({ heardMs, retransmits, probes, window }: TcpSigns): boolean {
  // While the window is closed, only answers to probes can come, and the kernel asks up to two minutes apart.
  const unanswered = window === 0 ? probes : Math.max(probes, retransmits);
  return heardMs >= SILENT_MS && unanswered >= TRIES;
}

/** Whether the connection `fd` is one over TCP whose other end is gone. */
export function isGone(fd: number): boolean {
  const signs = tcpSignsOf(fd);
  return signs !== null && isSilent(signs);
}

export interface LooksOptions {
  /** Within what time a request must be answered; 0: none. */
  readonly limitSeconds?: number;
  /** Whether the device has no other connection. */
  readonly isAlone?: boolean;
}

/**
 * Wakes a thread that sleeps in its ring, so that it looks at its connection. A connection that is alone and not TCP needs no
 * looks, unless requests must be answered within a time.
 */
export class Looks {
  /** A request that had no reply in more looks than these has waited for `limitSeconds`. 0: it may wait for ever. */
  readonly limit: number;
  private readonly ring: TargetRing;
  private readonly token: number;
  /** Read by the kernel, so it must stay mapped; null: there is nothing to look at. */
  private readonly pause: MappedMemory | null;

  /** `token`: that of its operations. */
  constructor(ring: TargetRing, fd: number, token: number, { limitSeconds = 0, isAlone = true }: LooksOptions = {}) {
    this.ring = ring;
    this.token = token;
    const usual = isAlone ? LOOK_SECONDS : LOOK_SECONDS_BESIDE_OTHERS;
    const seconds = limitSeconds === 0 ? usual : Math.min(usual, limitSeconds / LOOKS_PER_LIMIT);
    this.limit = Math.ceil(limitSeconds / seconds);
    const isIdle = isAlone && limitSeconds === 0 && tcpSignsOf(fd) === null;
    this.pause = isIdle ? null : mapAnonymous(kernel_timespec.size, 'of a pause');
    this.pause?.bytes.set(encode(kernel_timespec, timespecOf(seconds)));
    this.again();
  }

  /** Gives the memory back. There is no further pause. */
  release(): void {
    if (this.pause !== null) hollow(this.pause, 'in place of a pause');
  }

  /** Begins the next pause. */
  again(): void {
    if (this.pause !== null) this.ring.timeout(...wordsOf(this.pause.address), this.token);
  }
}

function timespecOf(seconds: number): { readonly tv_sec: bigint; readonly tv_nsec: bigint } {
  return { tv_sec: BigInt(Math.floor(seconds)), tv_nsec: BigInt((seconds % 1) * 1e9) };
}
