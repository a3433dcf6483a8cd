/** The request of `set_params`: a device is added, given these parameters, and deleted again without being started. */

import type { Feature } from '../../spec/features.ts';

export interface SetParamsRequest {
  /** The id of the device; -1 lets the kernel choose. */
  readonly id: number;
  readonly queues: number;
  readonly depth: number;
  /** UBLK_F_* features by name, without the prefix. */
  readonly features: readonly Feature[];
  /** Bytes of one ublksrv_io_desc with IO_DESC_SIZE; 0 means the kernel's 24. */
  readonly ioDescSize: number;
  /** Which of UBLK_PARAM_TYPE_BASIC and UBLK_PARAM_TYPE_ZONED are sent. */
  readonly types: readonly ParamType[];
  readonly basic: BasicParams;
  readonly zoned: ZonedParams;
}

export type ParamType = 'basic' | 'zoned';

/** Shifts are powers of two in bytes; the rest counts 512-byte sectors. */
export interface BasicParams {
  readonly logicalBsShift: number;
  readonly physicalBsShift: number;
  readonly ioMinShift: number;
  readonly ioOptShift: number;
  readonly maxSectors: number;
  readonly chunkSectors: number;
  readonly devSectors: number;
}

export interface ZonedParams {
  readonly maxOpenZones: number;
  readonly maxActiveZones: number;
  readonly maxZoneAppendSectors: number;
}

/** kublk's: a valid device of 16 zones of 64 KiB, so that a test changes the one thing that it is about. */
export const SET_PARAMS_DEFAULTS: SetParamsRequest = {
  id: -1,
  queues: 2,
  depth: 128,
  features: [],
  ioDescSize: 0,
  types: ['basic'],
  basic: {
    logicalBsShift: 9,
    physicalBsShift: 12,
    ioMinShift: 9,
    ioOptShift: 12,
    maxSectors: 2048,
    chunkSectors: 128,
    devSectors: 128 * 16,
  },
  zoned: { maxOpenZones: 0, maxActiveZones: 0, maxZoneAppendSectors: 8 },
};
