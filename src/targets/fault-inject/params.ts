import type { ParamsInit } from '../../control/commands.ts';
import { UBLK_PARAM_TYPE_BASIC } from '../../native/uapi/ublk-params.ts';
import { chosenBytes } from '../chosen-size.ts';
import { withIntegrity } from '../integrity.ts';
import type { OpenRequest } from '../target.ts';

/** The parameters of a fault_inject device. They are those of kublk (tools/testing/selftests/ublk/fault_inject.c). */
export function faultInjectParams(request: Pick<OpenRequest, 'maxIoBufBytes' | 'integrity' | 'options'>): ParamsInit {
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC,
    basic: {
      logical_bs_shift: 9,
      physical_bs_shift: 12,
      io_opt_shift: 12,
      io_min_shift: 9,
      max_sectors: request.maxIoBufBytes >>> 9,
      dev_sectors: chosenBytes(request.options) / 512,
    },
  };
  return withIntegrity(params, request.integrity);
}
