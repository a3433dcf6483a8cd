/**
 * The delivery of a shared thread: one command per tag, as in ../delivery/per-tag.ts, for the tags of all lanes.
 *
 * A lane begins with FETCH_REQ for each of its tags, and has left when the driver has given back every one. That it gives
 * back tags one by one makes no difference between a device that is stopped and one that is quiesced: QUIESCE_DEV leaves
 * the tags whose requests were under way, and is repeated until none is left (device/change/quiesce.ts).
 *
 * What follows from a batch outside of its requests (a lane whose tags are fetched, a lane that has left) is done at the
 * end of the next batch, when the commands are submitted and the statistics of the batch are closed. `flush` then asks
 * for a batch at once.
 */
import type { Ring } from '../../native/ring/ring.ts';
import {
  UBLK_U_IO_COMMIT_AND_FETCH_REQ,
  UBLK_U_IO_FETCH_REQ,
  UBLK_U_IO_NEED_GET_DATA,
} from '../../native/uapi/ublk-commands.ts';
import { UBLK_IO_RES_ABORT, UBLK_IO_RES_NEED_GET_DATA, UBLK_IO_RES_OK } from '../../native/uapi/ublk-io.ts';
import { IORING_OP_URING_CMD } from '../../native/uapi/io-uring-opcodes.ts';
import { FIXED_FILE } from '../char-device.ts';
import type { Arrivals, Delivery } from '../delivery/delivery.ts';
import { notInlined } from '../not-inlined.ts';
import type { Slots } from '../slots.ts';
import { KIND_COMMAND, slotOf, userData } from '../user-data.ts';
import type { Lanes } from './lanes.ts';

const FETCH = UBLK_U_IO_FETCH_REQ | 0;
const COMMIT_AND_FETCH = UBLK_U_IO_COMMIT_AND_FETCH_REQ | 0;
const NEED_GET_DATA = UBLK_U_IO_NEED_GET_DATA | 0;
const COMMAND = IORING_OP_URING_CMD | FIXED_FILE;
/** What `flush` returns so that the next enter does not wait. */
const AT_ONCE = -1;

/** Is told what becomes of lanes. */
export interface LaneEvents {
  /** The first commands of the lane have been submitted; `problem` is 0, or the -errno with which one was refused. */
  fetched(lane: number, problem: number): void;
  /** The driver has no tag of the lane any more, and no completion comes for it. */
  left(lane: number): void;
  /** The batch has ended, and the lane is to give back what memory it can. */
  rest(lane: number): void;
}

export class SharedDelivery implements Delivery {
  readonly problem = 0;
  readonly ended = false;
  readonly linkable = true;
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly lanes: Lanes;
  private readonly events: LaneEvents;
  /** How many lanes are in the lists below, which are nearly always empty. */
  private news = 0;
  /** Lanes whose first commands were written in this batch, and those of the batch before, which are submitted. */
  private begun: number[] = [];
  private submitted: number[] = [];
  /** Lanes whose last tag came back in this batch, and in the batch before. */
  private emptied: number[] = [];
  private empty: number[] = [];
  /** Lanes that are to give back the memory of their buffers at the end of this batch. */
  private resting: number[] = [];

  constructor(ring: Ring, slots: Slots, lanes: Lanes, events: LaneEvents) {
    this.ring = ring;
    this.slots = slots;
    this.lanes = lanes;
    this.events = events;
  }

  start(): void {}

  /** Asks for the tags of a lane. */
  fetch(lane: number): void {
    const { firstSlot, spec } = this.lanes.config(lane);
    this.lanes.tags[lane] = spec.depth;
    for (let slot = firstSlot; slot < firstSlot + spec.depth; slot++) this.command(slot, FETCH, 0);
    this.begun.push(lane);
    this.news++;
  }

  /** Gives back the memory of the lane's I/O buffers at the end of the batch, if nothing of the lane is in hand then. */
  rest(lane: number): void {
    this.resting.push(lane);
    this.news++;
  }

  completed(user: number, result: number, _flags: number, arrivals: Arrivals): void {
    if (result === UBLK_IO_RES_OK) arrivals.arrive(slotOf(user));
    else if (result === UBLK_IO_RES_NEED_GET_DATA) this.command(slotOf(user), NEED_GET_DATA, 0);
    else this.givenBack(this.lanes.of[slotOf(user)]!, result);
  }

  commit(slot: number, result: number): void {
    this.command(slot, COMMIT_AND_FETCH, result);
  }

  flush(): number {
    if (this.news === 0) return 0;
    notInlined(this.tell);
    return AT_ONCE;
  }

  private readonly tell = (): void => {
    const { submitted, empty, resting } = this;
    this.submitted = this.begun;
    this.empty = this.emptied;
    this.begun = [];
    this.emptied = [];
    this.resting = [];
    this.news -= submitted.length + empty.length + resting.length;
    for (const lane of submitted) this.events.fetched(lane, this.lanes.problem[lane]!);
    for (const lane of empty) this.events.left(lane);
    for (const lane of resting) this.events.rest(lane);
  };

  /** A device leaves by itself: its tags come back. */
  drain(): void {}

  private command(slot: number, op: number, result: number): void {
    const slots = this.slots;
    this.ring.reserve(1);
    this.ring.sq.begin(COMMAND, this.lanes.charFile[this.lanes.of[slot]!]!, userData(KIND_COMMAND, slot, 0));
    const sqe = this.ring.sq.entry;
    sqe.cmdOp = op;
    sqe.addrLo = slots.autoBufReg[slot]!;
    sqe.cmd0 = slots.queueTag[slot]!;
    sqe.cmd1 = result;
    sqe.cmd2 = slots.commandLo[slot]!;
    sqe.cmd3 = slots.commandHi[slot]!;
  }

  private givenBack(lane: number, result: number): void {
    const { problem, tags } = this.lanes;
    if (result !== UBLK_IO_RES_ABORT && problem[lane] === 0) problem[lane] = result;
    tags[lane]!--;
    if (tags[lane] !== 0) return;
    this.emptied.push(lane);
    this.news++;
  }
}
