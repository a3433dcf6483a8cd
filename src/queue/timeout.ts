/**
 * A pure timeout, which ends with -ETIME after the time of a __kernel_timespec and never earlier: `off`, the number of
 * other completions that would end it before its time, stays 0. The kernel reads the timespec when it takes the entry,
 * so it must be in memory that stays.
 */
import type { SubmissionQueue } from '../native/ring/submission-queue.ts';
import { IORING_OP_TIMEOUT } from '../native/uapi/io-uring-opcodes.ts';

/** `timespecLo`, `timespecHi`: the address of the timespec. */
export function addTimeout(sq: SubmissionQueue, timespecLo: number, timespecHi: number, userData: number): void {
  sq.begin(IORING_OP_TIMEOUT, -1, userData);
  sq.entry.addrLo = timespecLo;
  sq.entry.addrHi = timespecHi;
  sq.entry.len = 1;
}
