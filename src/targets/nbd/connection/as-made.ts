/**
 * The export that a recovered device was made of. Its server is compared with that whenever it comes back, and not with the one that
 * `recover` has found: that may offer more, and the old one would be refused then, although the device needs nothing else.
 */
import type { Params } from '../../../control/commands.ts';
import { UBLK_ATTR_FUA, UBLK_ATTR_READ_ONLY, UBLK_ATTR_VOLATILE_CACHE } from '../../../native/uapi/ublk-params.ts';
import type { NbdExport } from '../handshake/export.ts';
import {
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../protocol/numbers.ts';

const NO_MAXIMUM = 0xffff_ffff;

/** `kept`: the parameters that the kernel has of the device, which the export `found` can serve. */
export function exportAsMade(found: NbdExport, kept: Pick<Params, 'basic' | 'discard'>): NbdExport {
  const { basic, discard } = kept;
  const { attrs, logical_bs_shift: shift } = basic;
  const had: readonly (readonly [flag: number, isThere: boolean])[] = [
    [NBD_FLAG_READ_ONLY, (attrs & UBLK_ATTR_READ_ONLY) !== 0],
    [NBD_FLAG_SEND_FLUSH, (attrs & UBLK_ATTR_VOLATILE_CACHE) !== 0],
    [NBD_FLAG_SEND_FUA, (attrs & UBLK_ATTR_FUA) !== 0],
    [NBD_FLAG_SEND_TRIM, discard.max_discard_sectors > 0],
    [NBD_FLAG_SEND_WRITE_ZEROES, discard.max_write_zeroes_sectors > 0],
  ];
  const flags = had.reduce((all, [flag, isThere]) => (isThere ? all | flag : all & ~flag), found.flags);
  const minimum = 2 ** shift;
  const { preferred = minimum, maximum = NO_MAXIMUM } = found.blockSizes ?? {};
  return { ...found, flags, blockSizes: { minimum, preferred, maximum } };
}
