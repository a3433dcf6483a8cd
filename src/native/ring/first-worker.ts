/**
 * The first worker of the kernel for the thread that enters a ring. Operations that would block (fsync, fallocate, a read
 * through the page cache) are done by workers, and the kernel starts the first one when there is such an operation. If it
 * cannot (pids.max of the control group), it cancels the operation, so a write of a client would fail. The last worker stays
 * for as long as the thread has a ring, and with it such operations wait for their turn.
 */
import { UblkError } from '../../errors.ts';
import { THREADS_HINT } from '../shortage.ts';
import { errnoName, errnoText } from '../uapi/errno.ts';
import { IORING_OP_NOP } from '../uapi/io-uring-opcodes.ts';
import { IOSQE_ASYNC } from '../uapi/io-uring-sqe-flags.ts';
import { CQE_WORD_RES } from '../uapi/io-uring-words.ts';
import type { Ring } from './ring.ts';

/** Returns when there is the worker. Nothing else may be under way on the ring. Throws when the kernel cannot start one. */
export function startFirstWorker(ring: Ring): void {
  const { cq, sq } = ring;
  sq.begin(IORING_OP_NOP | (IOSQE_ASYNC << 8), -1, 0);
  // The kernel tries again some milliseconds later when it could not start a thread, and interrupts the wait for that.
  while (cq.ready() === cq.head) ring.enter(1);
  const result = cq.words[cq.at(cq.head) + CQE_WORD_RES]!;
  cq.seen((cq.head + 1) | 0);
  if (result < 0) throw noWorker(-result);
}

function noWorker(errno: number): UblkError {
  return new UblkError(`the kernel could not start the thread for operations that block: ${errnoText(errno)}`, {
    code: errnoName(errno) === 'ECANCELED' ? 'EAGAIN' : errnoName(errno),
    command: 'io_uring_enter',
    hint: THREADS_HINT,
  });
}
