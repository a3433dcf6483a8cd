/**
 * The hand for processors that `program.ts` has no code for: `node main.js ENTRIES` submits as many entries of the ring
 * at descriptor 3, waits for their completions and ends. Whoever started it reads the results in the ring.
 */
import { io_uring_enter } from '../../native/libc/calls.ts';
import { IORING_ENTER_GETEVENTS } from '../../native/uapi/io-uring-enter.ts';
import { HAND_RING_FD } from './ring-fd.ts';
import { ERRNO } from '../../native/uapi/errno.ts';

const { EINTR } = ERRNO;

const entries = Number(process.argv[2]);
// -EINTR: nothing was submitted.
while (io_uring_enter(HAND_RING_FD, entries, entries, IORING_ENTER_GETEVENTS, new Uint8Array(0)) === -EINTR);
