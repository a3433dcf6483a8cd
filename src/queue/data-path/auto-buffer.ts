/**
 * The data path `--auto_zc` (UBLK_F_AUTO_BUF_REG): the driver registers the request's pages in this ring's buffer table
 * before it delivers the request, and removes them when the request is committed. Every command names the slot's place
 * in the table.
 *
 * With `--auto_zc_fallback` a request whose registration failed is delivered too, marked NEED_REG_BUF, and is served as
 * in zero-copy.ts. To make this happen, the slots then name a place that the table does not have, as in kublk's null
 * target.
 */
import { ublk_auto_buf_reg_to_sqe_addr } from '../../native/uapi/ublk-addresses.ts';
import { UBLK_AUTO_BUF_REG_FALLBACK, UBLK_IO_F_NEED_REG_BUF } from '../../native/uapi/ublk-io.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { Slots } from '../slots.ts';
import type { DataPath, PathRequest } from './data-path.ts';
import type { ZeroCopyPath } from './zero-copy.ts';

const NO_SUCH_INDEX = 0xffff;

export class AutoBufferPath implements DataPath {
  private readonly way = STAT_WAYS.indexOf(DATA_PATHS.auto_zc.countedAs);
  private readonly fallback: ZeroCopyPath | null;

  constructor(slots: Slots, mine: readonly number[], fallback: ZeroCopyPath | null) {
    this.fallback = fallback;
    slots.registerBuffers(mine);
    for (const slot of mine) {
      slots.autoBufReg[slot] =
        fallback === null
          ? ublk_auto_buf_reg_to_sqe_addr(slots.bufferIndex[slot]!, 0)
          : ublk_auto_buf_reg_to_sqe_addr(NO_SUCH_INDEX, UBLK_AUTO_BUF_REG_FALLBACK);
    }
  }

  wayOf(): number {
    return this.way;
  }

  arrive(): boolean {
    return true;
  }

  attach(io: PathRequest): void {
    if (this.fallback !== null && (io.flags & UBLK_IO_F_NEED_REG_BUF) !== 0) this.fallback.attach(io);
  }

  depart(io: PathRequest): boolean {
    return this.fallback === null || this.fallback.depart(io);
  }

  operationDone(): boolean {
    return false;
  }
}
