/**
 * FETCH_REQ once a tag, then COMMIT_AND_FETCH_REQ for ever: the commit of one request asks for the next.
 *
 * The task that fetched a tag commits it (the driver checks), so a tag belongs to one thread for its whole life.
 * A commit never fails back to the client: when the device stops, its fetch half ends with -ENODEV and the tag is done.
 */
import type { Ring } from '../../native/ring/ring.ts';
import {
  UBLK_U_IO_COMMIT_AND_FETCH_REQ,
  UBLK_U_IO_FETCH_REQ,
  UBLK_U_IO_NEED_GET_DATA,
} from '../../native/uapi/ublk-commands.ts';
import { UBLK_IO_RES_ABORT, UBLK_IO_RES_NEED_GET_DATA, UBLK_IO_RES_OK } from '../../native/uapi/ublk-io.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { KIND_COMMAND, slotOf, userData } from '../user-data.ts';
import type { Arrivals, Delivery } from './delivery.ts';

const FETCH = UBLK_U_IO_FETCH_REQ | 0;
const COMMIT_AND_FETCH = UBLK_U_IO_COMMIT_AND_FETCH_REQ | 0;
const NEED_GET_DATA = UBLK_U_IO_NEED_GET_DATA | 0;

export class PerTagDelivery implements Delivery {
  problem = 0;
  readonly linkable = true;
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly mine: readonly number[];
  private readonly device: CharDevice;
  private readonly arrivals: Arrivals;
  private readonly beforeFetch: (slot: number) => void;
  /** Tags that the kernel has not aborted. */
  private alive: number;

  constructor(
    ring: Ring,
    slots: Slots,
    mine: readonly number[],
    device: CharDevice,
    arrivals: Arrivals,
    beforeFetch: (slot: number) => void,
  ) {
    this.ring = ring;
    this.slots = slots;
    this.mine = mine;
    this.device = device;
    this.arrivals = arrivals;
    this.beforeFetch = beforeFetch;
    this.alive = mine.length;
  }

  get ended(): boolean {
    return this.alive === 0;
  }

  start(): void {
    for (const slot of this.mine) {
      this.beforeFetch(slot);
      this.command(slot, FETCH, 0);
    }
  }

  completed(user: number, result: number): void {
    if (result === UBLK_IO_RES_OK) this.arrivals.arrive(slotOf(user));
    else if (result === UBLK_IO_RES_NEED_GET_DATA) this.command(slotOf(user), NEED_GET_DATA, 0);
    else this.aborted(result);
  }

  commit(slot: number, result: number): void {
    this.command(slot, COMMIT_AND_FETCH, result);
  }

  flush(): number {
    return 0;
  }

  private command(slot: number, op: number, result: number): void {
    const slots = this.slots;
    this.ring.reserve(1);
    this.ring.sq.command(
      this.device.flags,
      this.device.fd,
      op,
      slots.autoBufReg[slot]!,
      0,
      0,
      0,
      0,
      userData(KIND_COMMAND, slot, 0),
      0,
      slots.queueTag[slot]!,
      result,
      slots.commandLo[slot]!,
      slots.commandHi[slot]!,
    );
  }

  private aborted(result: number): void {
    this.alive--;
    if (result !== UBLK_IO_RES_ABORT && this.problem === 0) this.problem = result;
  }
}
