/**
 * Gives the memory of a lane's I/O buffers back to the system, when no request is using them.
 *
 * Contract: only the thread of the lane may do this, at the end of a batch. The driver copies the data of a write into the
 * buffer inside of this thread's io_uring_enter, before anybody hears of the request, and takes the data of a read out of
 * it when the commit is submitted. So every entry must have been submitted, the kernel must hold no completion back, and
 * none of those that wait in the ring may be the lane's.
 */
import { discard } from '../../native/memory.ts';
import type { Ring } from '../../native/ring/ring.ts';
import { CQE_WORD_USER_DATA_LO } from '../../native/uapi/io-uring-words.ts';
import { Block } from '../../stats/layout.ts';
import { KIND_WAKE, kindOf, slotOf } from '../user-data.ts';
import type { Lanes } from './lanes.ts';

/**
 * Gives the memory back unless a request of the lane is in hand. The main thread asks again when the lane is idle
 * again.
 */
export function restLane(ring: Ring, lanes: Lanes, lane: number): void {
  const open = lanes.find(lane);
  if (open === undefined || open.config.buffers === 0n) return;
  if (ring.sq.pending > 0) ring.enter(0);
  const { words } = open.writer;
  const isInHand = words[Block.arrived] !== words[Block.finished];
  if (isInHand || ring.sq.pending > 0 || ring.overflows || awaitsWalk(ring, lanes, lane)) return;
  const { buffers, spec } = open.config;
  discard(buffers, spec.depth * spec.maxIoBufBytes);
}

/** Whether a completion of the lane is in the ring. */
function awaitsWalk({ cq }: Ring, lanes: Lanes, lane: number): boolean {
  const tail = cq.ready();
  for (let head = cq.head; head !== tail; head = (head + 1) | 0) {
    const user = cq.words[cq.at(head) + CQE_WORD_USER_DATA_LO]!;
    if (kindOf(user) !== KIND_WAKE && lanes.of[slotOf(user)] === lane) return true;
  }
  return false;
}
