import type { ParamsInit } from '../../control/commands.ts';
import { UBLK_PARAM_TYPE_BASIC, UBLK_PARAM_TYPE_DMA_ALIGN } from '../../native/uapi/ublk-params.ts';
import { type Holes, withHoles } from '../holes.ts';

export interface RamDisk {
  readonly bytes: number;
  readonly holes: Holes;
  /** The alignment of memory, in bytes, that I/O on the file needs. */
  readonly memory: number;
  readonly maxIoBufBytes: number;
}

/** The parameters of a disk in memory. It has no cache to flush: what is written is where it stays. */
export function ramParams({ bytes, holes, memory, maxIoBufBytes }: RamDisk): ParamsInit {
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN,
    basic: {
      attrs: 0,
      logical_bs_shift: 9,
      physical_bs_shift: 12,
      io_opt_shift: 12,
      io_min_shift: 9,
      max_sectors: maxIoBufBytes >>> 9,
      dev_sectors: bytes / 512,
    },
    dma: { alignment: Math.max(512, memory) - 1 },
  };
  return withHoles(params, holes);
}
