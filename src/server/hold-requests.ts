/**
 * Makes the driver keep every new request of a `-b` device for the next server, so that this one can finish what it has
 * and leave without a client seeing an error.
 *
 * QUIESCE_DEV does not do this: in batch mode it marks every queue as aborting, and the driver then fails new and
 * requeued requests until the next server has prepared the queue (ublk_batch_cancel_queue, Linux 7.3). When the ring of
 * a fetch command goes away the driver only marks the queues as cancelling: requests from then on wait for the next
 * server, and those that are already queued are still delivered to the other fetch commands. So this opens a ring,
 * gives it a fetch command that can never receive anything, and closes it again.
 */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';
import { io_uring_enter, systemError } from '../native/libc/calls.ts';
import { RingRegistry } from '../native/ring/register.ts';
import { setUpRing } from '../native/ring/setup.ts';
import { encode } from '../native/uapi/codec.ts';
import { ERRNO } from '../native/uapi/errno.ts';
import { IORING_ENTER_EXT_ARG, IORING_ENTER_GETEVENTS } from '../native/uapi/io-uring-enter.ts';
import { IORING_OP_URING_CMD } from '../native/uapi/io-uring-opcodes.ts';
import { IORING_URING_CMD_MULTISHOT, IOSQE_BUFFER_SELECT } from '../native/uapi/io-uring-sqe-flags.ts';
import { io_uring_getevents_arg } from '../native/uapi/io-uring-structs.ts';
import { CQE_WORD_RES } from '../native/uapi/io-uring-words.ts';
import { UBLK_FETCH_ELEM_BYTES } from '../native/uapi/ublk-batch.ts';
import { UBLK_U_IO_FETCH_IO_CMDS } from '../native/uapi/ublk-commands.ts';

const SECONDS = 10;
/** The kernel takes a closed ring apart a little later, on a thread of its own. */
const PAUSE_MS = 5;
const GROUP = 0;

/**
 * Resolves when the driver keeps new requests. `charFd`: /dev/ublkcN. `isServed`: whether it still is that: when the device
 * has left, another one may have the descriptor.
 */
export async function holdRequests(charFd: number, device: number, isServed: () => boolean): Promise<void> {
  const deadline = milliseconds() + SECONDS * 1000;
  // A queue that is cancelling refuses fetch commands with ENODEV: that is how it shows.
  while (isServed() && fetchAndClose(charFd) !== -ERRNO.ENODEV) {
    if (milliseconds() > deadline) {
      throw new UblkError(`the driver still delivers requests of device ${device} after ${SECONDS} s`, {
        code: 'TIMEOUT',
        device,
        command: 'FETCH_IO_CMDS',
      });
    }
    await sleep(PAUSE_MS);
  }
}

/** Issues a fetch command on queue 0 and closes its ring. Returns what the command completed with, or 0. */
function fetchAndClose(charFd: number): number {
  const ring = setUpRing({ sqEntries: 4, cqEntries: 8, flags: 0 });
  // A group without a buffer: if the driver chooses this command, it has to choose another.
  const buffers = new RingRegistry(ring.fd).registerBufferRing(GROUP, 1);
  try {
    ring.sq.begin(IORING_OP_URING_CMD | (IOSQE_BUFFER_SELECT << 8), charFd, 0);
    const sqe = ring.sq.entry;
    sqe.cmdOp = UBLK_U_IO_FETCH_IO_CMDS;
    sqe.opFlags = IORING_URING_CMD_MULTISHOT;
    sqe.bufIndex = GROUP;
    sqe.cmd1 = UBLK_FETCH_ELEM_BYTES << 16;
    ring.sq.publish();
    const taken = io_uring_enter(
      ring.fd,
      1,
      0,
      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
      encode(io_uring_getevents_arg, {}),
    );
    if (taken < 0) throw systemError('io_uring_enter', -taken, 'of a fetch command');
    const { cq } = ring;
    return cq.ready() === cq.head ? 0 : cq.words[cq.at(cq.head) + CQE_WORD_RES]!;
  } finally {
    ring.ring.unmap();
    ring.sqes.unmap();
    closeSync(ring.fd);
    buffers.unmap();
  }
}
