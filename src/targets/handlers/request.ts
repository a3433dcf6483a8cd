/** What a request asks for, in bytes, and in words. */
import {
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../native/uapi/ublk-io.ts';
import type { IoRequest } from '../target.ts';

const NAMES: Readonly<Record<number, string>> = {
  [UBLK_IO_OP_READ]: 'read',
  [UBLK_IO_OP_WRITE]: 'write',
  [UBLK_IO_OP_FLUSH]: 'flush',
  [UBLK_IO_OP_DISCARD]: 'discard',
  [UBLK_IO_OP_WRITE_ZEROES]: 'writeZeroes',
};

/** Where the request begins on the device, in bytes. A flush begins nowhere: the kernel numbers its first sector 2^64 - 1. */
export function offsetOf(io: Pick<IoRequest, 'op' | 'startLo' | 'startHi'>): number {
  if (io.op === UBLK_IO_OP_FLUSH) return 0;
  return (io.startHi >>> 0) * 2 ** 41 + (io.startLo >>> 0) * 512;
}

/** Bytes, of any request. */
export function lengthOf(io: Pick<IoRequest, 'sectors'>): number {
  return (io.sectors >>> 0) * 512;
}

/** The name of the handler that serves the operation. */
export function describeOp(op: number): string {
  return NAMES[op] ?? `operation ${op}`;
}
