/** What a target's handlers say the device is, in the kernel's terms. */
import type { ParamsInit } from '../../control/commands.ts';
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
import type { Handlers } from './define.ts';

/** Bytes of the largest DISCARD or WRITE_ZEROES: below 2^31, so that a request's length fits where its result does. */
const MOST_CLEARED = 2 ** 31;

export function handlerParams(handlers: Handlers, request: Pick<OpenRequest, 'maxIoBufBytes'>): ParamsInit {
  const { size, blockSize = 512, physicalBlockSize = 4096, maxBytes = request.maxIoBufBytes } = handlers;
  const clears = handlers.discard !== undefined || handlers.writeZeroes !== undefined;
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | (clears ? UBLK_PARAM_TYPE_DISCARD : 0),
    basic: {
      attrs: attributes(handlers),
      logical_bs_shift: Math.log2(blockSize),
      physical_bs_shift: Math.log2(Math.max(physicalBlockSize, blockSize)),
      io_opt_shift: 12,
      io_min_shift: Math.log2(blockSize),
      max_sectors: Math.min(maxBytes, request.maxIoBufBytes) >>> 9,
      dev_sectors: size / 512,
    },
    dma: { alignment: 511 },
  };
  return clears ? { ...params, discard: clearing(handlers, blockSize) } : params;
}

/** The kernel sends FUA writes only to a device with a cache: without one every write is durable anyway. */
function attributes(handlers: Handlers): number {
  const { readOnly = handlers.write === undefined, rotational = false } = handlers;
  return (
    (handlers.flush === undefined ? 0 : UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA) |
    (readOnly ? UBLK_ATTR_READ_ONLY : 0) |
    (rotational ? UBLK_ATTR_ROTATIONAL : 0)
  );
}

function clearing(handlers: Handlers, blockSize: number): NonNullable<ParamsInit['discard']> {
  const granularity = handlers.discardGranularity ?? blockSize;
  const sectors = (MOST_CLEARED - granularity) / 512;
  return {
    discard_granularity: granularity,
    max_discard_sectors: handlers.discard === undefined ? 0 : sectors,
    max_write_zeroes_sectors: handlers.writeZeroes === undefined ? 0 : sectors,
    max_discard_segments: 1,
  };
}
