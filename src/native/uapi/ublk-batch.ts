// include/uapi/linux/ublk_cmd.h, Linux 7.3: the elements of UBLK_U_IO_PREP_IO_CMDS and UBLK_U_IO_COMMIT_IO_CMDS. The
// header describes `struct ublk_elem_buffer` in a comment only, because the flags decide which of its fields exist.
import { UBLK_BATCH_F_HAS_BUF_ADDR, UBLK_BATCH_F_HAS_ZONE_LBA } from './ublk-io.ts';
import { ublk_elem_header } from './ublk-structs.ts';

/** The size in bytes of one tag in the buffer that UBLK_U_IO_FETCH_IO_CMDS fills (its elem_bytes). */
export const UBLK_FETCH_ELEM_BYTES = 2;

/**
 * The ublk_batch_io.elem_bytes that belong to ublk_batch_io.flags: the header, the address and the zone, in this order. The
 * driver refuses any other value.
 */
export function ublkElemBytes(flags: number): number {
  const bufAddrBytes = (flags & UBLK_BATCH_F_HAS_BUF_ADDR) === 0 ? 0 : 8;
  const zoneLbaBytes = (flags & UBLK_BATCH_F_HAS_ZONE_LBA) === 0 ? 0 : 8;
  return ublk_elem_header.size + bufAddrBytes + zoneLbaBytes;
}
