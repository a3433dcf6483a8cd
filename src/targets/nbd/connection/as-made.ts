/**
 * An export as a device uses it. Its server is compared with that whenever it comes back, and not with what was offered when the device
 * was made or recovered: a server that offers less than that would be refused, although the device needs nothing of it.
 */
import type { ParamsInit } from '../../../control/commands.ts';
import { UBLK_ATTR_FUA, UBLK_ATTR_READ_ONLY, UBLK_ATTR_VOLATILE_CACHE } from '../../../native/uapi/ublk-params.ts';
import { type NbdExport, NO_MAXIMUM } from '../handshake/export.ts';
import {
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../protocol/numbers.ts';

/** `params`: those of the device, which the export `found` can serve. */
export function exportAsMade(
  found: NbdExport,
  { basic = {}, discard = {} }: Pick<ParamsInit, 'basic' | 'discard'>,
): NbdExport {
  const { attrs = 0, logical_bs_shift: shift = 9 } = basic;
  const { max_discard_sectors: discards = 0, max_write_zeroes_sectors: zeroes = 0 } = discard;
  const had: readonly (readonly [flag: number, isThere: boolean])[] = [
    [NBD_FLAG_READ_ONLY, (attrs & UBLK_ATTR_READ_ONLY) !== 0],
    [NBD_FLAG_SEND_FLUSH, (attrs & UBLK_ATTR_VOLATILE_CACHE) !== 0],
    [NBD_FLAG_SEND_FUA, (attrs & UBLK_ATTR_FUA) !== 0],
    [NBD_FLAG_SEND_TRIM, discards > 0],
    [NBD_FLAG_SEND_WRITE_ZEROES, zeroes > 0],
  ];
  const flags = had.reduce((all, [flag, isThere]) => (isThere ? all | flag : all & ~flag), found.flags);
  const minimum = 2 ** shift;
  const { preferred = minimum, maximum = NO_MAXIMUM } = found.blockSizes ?? {};
  return { ...found, flags, blockSizes: { minimum, preferred, maximum } };
}
