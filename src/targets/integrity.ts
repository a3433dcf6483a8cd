/** Integrity metadata: the parameters of a device that has it, and the refusal of a target that stores none. */
import { usageError } from '../errors.ts';
import type { ParamsInit } from '../control/commands.ts';
import { option } from '../spec/option-names.ts';
import type { IntegrityOptions } from '../spec/options.ts';
import {
  LBMD_PI_CAP_INTEGRITY,
  LBMD_PI_CAP_REFTAG,
  LBMD_PI_CSUM_CRC16_T10DIF,
  LBMD_PI_CSUM_CRC64_NVME,
  LBMD_PI_CSUM_IP,
  LBMD_PI_CSUM_NONE,
} from '../native/uapi/fs.ts';
import { UBLK_PARAM_TYPE_INTEGRITY } from '../native/uapi/ublk-params.ts';

const CSUM_TYPES = {
  none: LBMD_PI_CSUM_NONE,
  ip: LBMD_PI_CSUM_IP,
  t10dif: LBMD_PI_CSUM_CRC16_T10DIF,
  nvme: LBMD_PI_CSUM_CRC64_NVME,
} as const;

/**
 * Each piece of metadata describes 512 bytes of data (2^9), whatever the logical block is. Data paths and targets rely
 * on this.
 */
const INTERVAL_SHIFT = 9;

/** Throws a usage error when metadata is asked of the target `name`, which stores only data. */
export function requireNoIntegrity(name: string, integrity: IntegrityOptions | null): void {
  if (integrity === null) return;
  throw usageError(`target ${name} stores no integrity metadata`, [
    'leave ',
    option('integrity.metadataSize'),
    ' out, or use target loop with a second file',
  ]);
}

export function withIntegrity(params: ParamsInit, integrity: IntegrityOptions | null): ParamsInit {
  if (integrity === null) return params;
  return {
    ...params,
    types: (params.types ?? 0) | UBLK_PARAM_TYPE_INTEGRITY,
    integrity: {
      flags: (integrity.capable ? LBMD_PI_CAP_INTEGRITY : 0) | (integrity.reftag ? LBMD_PI_CAP_REFTAG : 0),
      interval_exp: INTERVAL_SHIFT,
      metadata_size: integrity.metadataSize,
      pi_offset: integrity.piOffset,
      csum_type: CSUM_TYPES[integrity.csumType],
      tag_size: integrity.tagSize,
    },
  };
}
