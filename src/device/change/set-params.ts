/** `set_params`: asks the driver whether it takes a device's parameters, with a device that is never started. */
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { addDev, type DevInfo, delDev, type ParamsInit, trySetParams as ask } from '../../control/commands.ts';
import { UBLK_PARAM_TYPE_BASIC, UBLK_PARAM_TYPE_ZONED } from '../../native/uapi/ublk-params.ts';
import { ublksrv_io_desc } from '../../native/uapi/ublk-structs.ts';
import { FeatureSet } from '../../spec/features.ts';
import type { ParamType, SetParamsRequest } from './set-params-request.ts';

/** kublk's UBLK_IO_MAX_BYTES, the limit of max_sectors. */
const MAX_IO_BUF_BYTES = 1 << 20;
const TYPES: Readonly<Record<ParamType, number>> = { basic: UBLK_PARAM_TYPE_BASIC, zoned: UBLK_PARAM_TYPE_ZONED };

/** Returns the driver's answer, 0 or -errno. The device is removed again in either case. */
export async function trySetParams(request: SetParamsRequest): Promise<number> {
  return withControl((channel) => onTemporaryDevice(channel, request));
}

async function onTemporaryDevice(channel: ControlChannel, request: SetParamsRequest): Promise<number> {
  const { dev_id } = await addDev(channel, devInfoOf(request));
  try {
    return await ask(channel, dev_id, paramsOf(request));
  } finally {
    await delDev(channel, dev_id);
  }
}

function devInfoOf(request: SetParamsRequest): Partial<DevInfo> {
  return {
    dev_id: request.id >>> 0,
    nr_hw_queues: request.queues,
    queue_depth: request.depth,
    max_io_buf_bytes: MAX_IO_BUF_BYTES,
    io_desc_size: request.ioDescSize === 0 ? ublksrv_io_desc.size : request.ioDescSize,
    flags: FeatureSet.parse(request.features).flags,
  };
}

function paramsOf({ types, basic, zoned }: SetParamsRequest): ParamsInit {
  return {
    types: types.reduce((sum, type) => sum | TYPES[type], 0),
    basic: {
      logical_bs_shift: basic.logicalBsShift,
      physical_bs_shift: basic.physicalBsShift,
      io_min_shift: basic.ioMinShift,
      io_opt_shift: basic.ioOptShift,
      max_sectors: basic.maxSectors,
      chunk_sectors: basic.chunkSectors,
      dev_sectors: basic.devSectors,
    },
    zoned: {
      max_open_zones: zoned.maxOpenZones,
      max_active_zones: zoned.maxActiveZones,
      max_zone_append_sectors: zoned.maxZoneAppendSectors,
    },
  };
}
