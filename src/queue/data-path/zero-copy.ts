/**
 * The data path `-z` (UBLK_F_SUPPORT_ZERO_COPY): the request's own pages are a registered buffer of this ring while the
 * target's operations use them.
 *
 * The buffer is registered when the target starts its first operation on the data, so a target that starts none pays
 * nothing. The operation is not linked to the registration: the driver registers while the entry is submitted, and an
 * operation whose buffer is missing fails with EFAULT and touches nothing. The buffer is unregistered just before the
 * commit, which the kernel would otherwise hold back.
 */
import type { Ring } from '../../native/ring/ring.ts';
import { IOSQE_CQE_SKIP_SUCCESS } from '../../native/uapi/io-uring-sqe-flags.ts';
import { UBLK_U_IO_REGISTER_IO_BUF, UBLK_U_IO_UNREGISTER_IO_BUF } from '../../native/uapi/ublk-commands.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { KIND_DATA, userData } from '../user-data.ts';
import type { DataPath, PathRequest } from './data-path.ts';

const REGISTER = UBLK_U_IO_REGISTER_IO_BUF | 0;
const UNREGISTER = UBLK_U_IO_UNREGISTER_IO_BUF | 0;
const SKIP_SUCCESS = IOSQE_CQE_SKIP_SUCCESS << 8;

export class ZeroCopyPath implements DataPath {
  private readonly way = STAT_WAYS.indexOf(DATA_PATHS.zero_copy.countedAs);
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly device: CharDevice;
  /** 1 when the slot's request is in the ring's buffer table. */
  private readonly registered: Uint8Array;

  constructor(ring: Ring, slots: Slots, mine: readonly number[], device: CharDevice) {
    this.ring = ring;
    this.slots = slots;
    this.device = device;
    slots.registerBuffers(mine);
    this.registered = new Uint8Array(slots.count);
  }

  wayOf(): number {
    return this.way;
  }

  arrive(): boolean {
    return true;
  }

  attach(io: PathRequest): void {
    const slot = io.place;
    if (io.matched || this.registered[slot] === 1) return;
    this.registered[slot] = 1;
    this.command(slot, REGISTER);
  }

  depart(io: PathRequest): boolean {
    const slot = io.place;
    if (this.registered[slot] === 1) {
      this.registered[slot] = 0;
      this.command(slot, UNREGISTER);
    }
    return true;
  }

  /** A completion here is a failure. The operation or the commit then fails too and reports it. */
  operationDone(): boolean {
    return false;
  }

  private command(slot: number, op: number): void {
    this.ring.reserve(1);
    this.ring.sq.begin(this.device.command | SKIP_SUCCESS, this.device.fd, userData(KIND_DATA, slot, 0));
    const sqe = this.ring.sq.entry;
    sqe.cmdOp = op;
    sqe.cmd0 = this.slots.queueTag[slot]!;
    sqe.cmd2 = this.slots.bufferIndex[slot]!;
  }
}
