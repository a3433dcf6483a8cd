import type { ParamsInit } from '../../control/commands.ts';
import {
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DMA_ALIGN,
  UBLK_PARAM_TYPE_SEGMENT,
} from '../../native/uapi/ublk-params.ts';
import { chosenBytes } from '../chosen-size.ts';
import { withIntegrity } from '../integrity.ts';
import type { OpenRequest } from '../target.ts';

/** The parameters of a null device. They are those of kublk (tools/testing/selftests/ublk/null.c). */
export function nullParams(request: OpenRequest): ParamsInit {
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | UBLK_PARAM_TYPE_SEGMENT,
    basic: {
      logical_bs_shift: 9,
      physical_bs_shift: 12,
      io_opt_shift: 12,
      io_min_shift: 9,
      max_sectors: request.maxIoBufBytes >>> 9,
      dev_sectors: chosenBytes(request.options) / 512,
    },
    dma: { alignment: 4095 },
    seg: { seg_boundary_mask: 4095n, max_segment_size: 32 << 10, max_segments: 32 },
  };
  return withIntegrity(params, request.integrity);
}
