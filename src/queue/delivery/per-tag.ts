/**
 * Delivery with one command per tag: FETCH_REQ once, then COMMIT_AND_FETCH_REQ, which commits a request and asks for
 * the tag's next one.
 *
 * The driver requires that the task which fetched a tag also commits it, so a tag belongs to one thread for its whole
 * life. A commit never fails, not even while the device stops or is quiesced: the driver completes the request first
 * and then keeps the command as the tag's next fetch.
 */
import type { Ring } from '../../native/ring/ring.ts';
import {
  UBLK_U_IO_COMMIT_AND_FETCH_REQ,
  UBLK_U_IO_FETCH_REQ,
  UBLK_U_IO_NEED_GET_DATA,
} from '../../native/uapi/ublk-commands.ts';
import {
  UBLK_IO_F_SHMEM_ZC,
  UBLK_IO_RES_ABORT,
  UBLK_IO_RES_NEED_GET_DATA,
  UBLK_IO_RES_OK,
} from '../../native/uapi/ublk-io.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { KIND_COMMAND, slotOf, userData } from '../user-data.ts';
import type { Arrivals, Delivery, DeliveryParts } from './delivery.ts';

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
  private readonly descriptors: Int32Array;
  private readonly beforeFetch: (slot: number) => void;
  /** Requests that were delivered and not committed. */
  private inHand = 0;
  private draining = false;

  constructor({ ring, slots, mine, device, descriptors, beforeFetch }: DeliveryParts) {
    this.ring = ring;
    this.slots = slots;
    this.mine = mine;
    this.device = device;
    this.descriptors = descriptors;
    this.beforeFetch = beforeFetch;
  }

  get ended(): boolean {
    return this.draining && this.inHand === 0;
  }

  start(): void {
    for (const slot of this.mine) {
      this.beforeFetch(slot);
      this.command(slot, FETCH, 0);
    }
  }

  completed(user: number, result: number, _flags: number, arrivals: Arrivals): void {
    if (result === UBLK_IO_RES_OK) {
      this.inHand++;
      arrivals.arrive(slotOf(user));
    } else if (result === UBLK_IO_RES_NEED_GET_DATA) this.getData(slotOf(user));
    else this.aborted(result);
  }

  commit(slot: number, result: number): void {
    this.inHand--;
    this.command(slot, COMMIT_AND_FETCH, result);
  }

  flush(): number {
    return 0;
  }

  drain(): void {
    this.draining = true;
  }

  /**
   * Asks for the data of a write. The driver puts the address of this command into the descriptor, even if that says where
   * in a registered buffer the data is (ublk_get_data of Linux 7.3). A request that matched is given that place again.
   */
  private getData(slot: number): void {
    this.command(slot, NEED_GET_DATA, 0);
    const words = this.descriptors;
    const at = this.slots.descriptor[slot]!;
    if ((words[at]! & UBLK_IO_F_SHMEM_ZC) === 0) return;
    const sqe = this.ring.sq.entry;
    sqe.cmd2 = words[at + 4]!;
    sqe.cmd3 = words[at + 5]!;
  }

  private command(slot: number, op: number, result: number): void {
    const slots = this.slots;
    this.ring.reserve(1);
    this.ring.sq.begin(this.device.command, this.device.fd, userData(KIND_COMMAND, slot, 0));
    const sqe = this.ring.sq.entry;
    sqe.cmdOp = op;
    sqe.addrLo = slots.autoBufReg[slot]!;
    sqe.cmd0 = slots.queueTag[slot]!;
    sqe.cmd1 = result;
    sqe.cmd2 = slots.commandLo[slot]!;
    sqe.cmd3 = slots.commandHi[slot]!;
  }

  private aborted(result: number): void {
    this.draining = true;
    if (result !== UBLK_IO_RES_ABORT && this.problem === 0) this.problem = result;
  }
}
