/** Turns what a server says about an export into the parameters of a ublk device. */
import type { ParamsInit } from '../../control/commands.ts';
import { UblkError } from '../../errors.ts';
import {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_ROTATIONAL,
  UBLK_ATTR_VOLATILE_CACHE,
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DISCARD,
  UBLK_PARAM_TYPE_DMA_ALIGN,
} from '../../native/uapi/ublk-params.ts';
import type { OpenRequest } from '../target.ts';
import { unusedEnd } from '../unused-end.ts';
import type { BlockSizes, NbdExport } from './handshake/export.ts';
import {
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_ROTATIONAL,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from './protocol/numbers.ts';

/** What a client assumes of a server that says nothing of its blocks. */
const ASSUMED: BlockSizes = { minimum: 512, preferred: 4096, maximum: 32 << 20 };
const SECTOR = 512;
/** The kernel takes no device whose largest request is smaller. */
const PAGE = 4096;
/** The largest block of a ublk device: a page. */
const MAX_BLOCK = PAGE;
/** The largest optimal I/O size that the driver takes (256 MiB, ublk_validate_params). */
const MAX_OPTIMAL = 2 ** 28;
/** Bytes of the largest DISCARD or WRITE_ZEROES: below 2^31, so that a request's length fits where its result does. */
const MOST_CLEARED = 2 ** 31;

/** Throws a UblkError for an export that no device can be made of. */
export function nbdParams(
  { bytes, flags, blockSizes }: NbdExport,
  { maxIoBufBytes }: Pick<OpenRequest, 'maxIoBufBytes'>,
): ParamsInit {
  const { preferred, maximum } = blockSizes ?? ASSUMED;
  const block = blockOf(blockSizes);
  if (block > MAX_BLOCK) throw unusable(`its blocks of ${block} bytes are larger than a page`);
  const largest = Math.floor(Math.min(maximum, maxIoBufBytes) / block) * block;
  if (largest === 0) throw unusable(`it takes at most ${maximum} bytes, less than a block of ${block}`);
  if (largest < PAGE) throw unusable(`it takes at most ${maximum} bytes at once, less than a page of ${PAGE}`);
  const sectors = Math.floor(bytes / block) * (block / SECTOR);
  if (sectors === 0) {
    throw unusable(`it has ${bytes} bytes, less than a block of ${block}`, 'make it larger on its server');
  }
  const clears =
    (flags & (NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES)) !== 0 && (flags & NBD_FLAG_READ_ONLY) === 0;
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | (clears ? UBLK_PARAM_TYPE_DISCARD : 0),
    basic: {
      attrs: attributesOf(flags),
      logical_bs_shift: Math.log2(block),
      physical_bs_shift: Math.log2(Math.min(MAX_BLOCK, Math.max(block, preferred))),
      io_opt_shift: Math.log2(Math.min(MAX_OPTIMAL, Math.max(block, preferred))),
      io_min_shift: Math.log2(block),
      max_sectors: largest / SECTOR,
      dev_sectors: sectors,
    },
    dma: { alignment: SECTOR - 1 },
  };
  return clears ? { ...params, discard: clearing(flags, block) } : params;
}

/** Bytes of the largest read or write of a device with these parameters. */
export function largestOf({ basic }: ParamsInit): number {
  return (basic?.max_sectors ?? 0) * SECTOR;
}

/** The note that `add` and `recover` print for an export whose last bytes are not a whole block. */
export function nbdNotes({ bytes, blockSizes }: Pick<NbdExport, 'bytes' | 'blockSizes'>): string[] {
  return unusedEnd('the export', bytes, 'blocks', blockOf(blockSizes));
}

/** Bytes of the device's logical block. */
function blockOf(blockSizes: BlockSizes | null): number {
  return Math.max(SECTOR, (blockSizes ?? ASSUMED).minimum);
}

/** A device has a cache when its server can flush. The driver sends FUA writes only to a device with a cache. */
function attributesOf(flags: number): number {
  const flushes = (flags & NBD_FLAG_SEND_FLUSH) !== 0;
  const durable = flushes && (flags & NBD_FLAG_SEND_FUA) !== 0;
  return (
    (flushes ? UBLK_ATTR_VOLATILE_CACHE : 0) |
    (durable ? UBLK_ATTR_FUA : 0) |
    ((flags & NBD_FLAG_READ_ONLY) === 0 ? 0 : UBLK_ATTR_READ_ONLY) |
    ((flags & NBD_FLAG_ROTATIONAL) === 0 ? 0 : UBLK_ATTR_ROTATIONAL)
  );
}

/** The server's maximum block size does not apply: it limits requests with data, and these have none. */
function clearing(flags: number, block: number): NonNullable<ParamsInit['discard']> {
  const sectors = (MOST_CLEARED - block) / SECTOR;
  return {
    discard_granularity: block,
    max_discard_sectors: (flags & NBD_FLAG_SEND_TRIM) === 0 ? 0 : sectors,
    max_write_zeroes_sectors: (flags & NBD_FLAG_SEND_WRITE_ZEROES) === 0 ? 0 : sectors,
    max_discard_segments: 1,
  };
}

function unusable(
  why: string,
  hint = 'another server, or other options of this one, may have an export that can',
): UblkError {
  return new UblkError(`the export cannot be a device: ${why}`, { code: 'EINVAL', hint });
}
