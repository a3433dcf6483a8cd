/**
 * `-z` (UBLK_F_SUPPORT_ZERO_COPY): the request's own pages become a registered buffer of this ring while the target's
 * operations use it.
 *
 * Registering is put off until the target starts an operation on the data: one that starts none costs nothing. It is
 * not linked to the operation behind it: the driver registers while the entry is submitted, and an operation that finds
 * its buffer missing fails with EFAULT instead of touching anything. Unregistering goes in front of the commit, which
 * the kernel would otherwise hold back.
 */
import type { Ring } from '../../native/ring/ring.ts';
import { IOSQE_CQE_SKIP_SUCCESS } from '../../native/uapi/io-uring-sqe-flags.ts';
import { UBLK_U_IO_REGISTER_IO_BUF, UBLK_U_IO_UNREGISTER_IO_BUF } from '../../native/uapi/ublk-commands.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { CharDevice } from '../char-device.ts';
import type { Request } from '../request.ts';
import type { Slots } from '../slots.ts';
import { KIND_DATA, userData } from '../user-data.ts';
import type { DataPath } from './data-path.ts';

const REGISTER = UBLK_U_IO_REGISTER_IO_BUF | 0;
const UNREGISTER = UBLK_U_IO_UNREGISTER_IO_BUF | 0;
const SKIP_SUCCESS = IOSQE_CQE_SKIP_SUCCESS << 8;

export class ZeroCopyPath implements DataPath {
  readonly way = STAT_WAYS.indexOf(DATA_PATHS.zero_copy.countedAs);
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly device: CharDevice;
  /** 1: the slot's request is in the ring's buffer table. */
  private readonly registered: Uint8Array;

  constructor(ring: Ring, slots: Slots, device: CharDevice) {
    this.ring = ring;
    this.slots = slots;
    this.device = device;
    this.registered = new Uint8Array(slots.count);
  }

  arrive(io: Request): boolean {
    this.locate(io);
    return true;
  }

  locate(io: Request): void {
    io.locate(0, 0, this.slots.bufferIndex[io.slot]!);
  }

  attach(io: Request): void {
    const { slot } = io;
    if (io.bufferIndex < 0 || this.registered[slot] === 1) return;
    this.registered[slot] = 1;
    this.command(slot, REGISTER);
  }

  depart(io: Request): boolean {
    const { slot } = io;
    if (this.registered[slot] === 1) {
      this.registered[slot] = 0;
      this.command(slot, UNREGISTER);
    }
    return true;
  }

  /** Only failures complete, and the operation or the commit that they spoil says so itself. */
  operationDone(): void {}

  private command(slot: number, op: number): void {
    const { fd, flags } = this.device;
    const user = userData(KIND_DATA, slot, 0);
    const index = this.slots.bufferIndex[slot]!;
    this.ring.reserve(1);
    this.ring.sq.command(flags | SKIP_SUCCESS, fd, op, 0, 0, 0, 0, 0, user, 0, this.slots.queueTag[slot]!, 0, index, 0);
  }
}
