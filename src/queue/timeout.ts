/**
 * A pure timeout, which ends with -ETIME after the time of a __kernel_timespec and never earlier: `off`, the number of
 * other completions that would end it before its time, stays 0. The kernel reads the timespec when it takes the entry,
 * so it must be in memory that stays.
 */
import type { SubmissionEntry } from '../native/ring/submission-entry.ts';
import { IORING_OP_TIMEOUT } from '../native/uapi/io-uring-opcodes.ts';

/** `timespecLo`, `timespecHi`: the address of the timespec. */
export function fillTimeout(sqe: SubmissionEntry, timespecLo: number, timespecHi: number, userData: number): void {
  sqe.opcode = IORING_OP_TIMEOUT;
  sqe.fd = -1;
  sqe.addrLo = timespecLo;
  sqe.addrHi = timespecHi;
  sqe.len = 1;
  sqe.userData = userData;
}
