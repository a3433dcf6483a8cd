/** Requests without a device, whose data is in registered buffers. */
import { Ring } from '../../../src/native/ring/ring.ts';
import { UBLK_IO_OP_FLUSH } from '../../../src/native/uapi/ublk-io.ts';
import { shareUnstored, Unstored } from '../../../src/targets/nbd/transmission/unstored.ts';
import type { IoRequest } from '../../../src/targets/target.ts';

/** A request of `slot` for the first 4 KiB. `flags`: UBLK_IO_F_*. */
export function requestOf(op: number, slot: number, flags = 0): IoRequest {
  const sectors = op === UBLK_IO_OP_FLUSH ? 0 : 8;
  return {
    slot,
    op,
    flags: flags | op,
    startLo: 0,
    startHi: 0,
    sectors,
    bytes: sectors * 512,
    dataLo: 0,
    dataHi: 0,
    pending: 0,
    result: 0,
    ...UNUSED,
  };
}

/** That of the only connection of a device. */
export function unstoredOf(slots: number): Unstored {
  return new Unstored({ shared: shareUnstored(), slots, thread: 0, threads: 1 });
}

/** Why there is no ring here; false where there is one. */
export function ringRefusal(): string | false {
  try {
    new Ring(8, 16).close();
    return false;
  } catch (error) {
    return String(error);
  }
}

/** What the target nbd does not use. */
export const UNUSED = {
  abandonView: unused,
  complete: unused,
  view: unused,
  read: unused,
  write: unused,
  readv: unused,
  writev: unused,
  fsync: unused,
  fallocate: unused,
  timeout: unused,
  readIntegrity: unused,
  writeIntegrity: unused,
};

function unused(): never {
  throw new Error('this is not used');
}
