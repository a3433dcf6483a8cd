import type { ParamsInit } from '../../control/commands.ts';
import { UblkError } from '../../errors.ts';
import {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_VOLATILE_CACHE,
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DMA_ALIGN,
} from '../../native/uapi/ublk-params.ts';
import type { IntegrityOptions } from '../../spec/options.ts';
import type { BackingFile } from '../backing-files.ts';
import { withHoles } from '../holes.ts';
import { withIntegrity } from '../integrity.ts';
import type { OpenRequest } from '../target.ts';

/** The size of the device in sectors: the whole blocks that fit in both files. */
export function loopSectors(
  data: Pick<BackingFile, 'path' | 'bytes' | 'alignment'>,
  metadata: Pick<BackingFile, 'path' | 'bytes'> | undefined,
  integrity: Pick<IntegrityOptions, 'metadataSize'> | null,
): number {
  const inData = Math.floor(data.bytes / 512);
  const inMetadata =
    metadata === undefined || integrity === null ? inData : Math.floor(metadata.bytes / integrity.metadataSize);
  const block = 2 ** (data.alignment.blockShift - 9);
  const sectors = Math.floor(Math.min(inData, inMetadata) / block) * block;
  if (sectors > 0) return sectors;
  const small = inMetadata < inData && metadata !== undefined ? metadata.path : data.path;
  throw new UblkError(`cannot use backing file ${small}: there is no room for one block of ${block * 512} bytes`, {
    code: 'EINVAL',
    command: 'open',
    hint: 'make it larger, for instance with `truncate -s 1G FILE`',
  });
}

/** The bytes of metadata that a device of `bytes` bytes has: one piece for each 512 bytes of data. */
export function metadataBytes(bytes: number, integrity: Pick<IntegrityOptions, 'metadataSize'> | null): number {
  return integrity === null ? 0 : (bytes / 512) * integrity.metadataSize;
}

/**
 * The parameters of a loop device. They are those of kublk (tools/testing/selftests/ublk/file_backed.c), except for
 * what docs/kublk-differences.md lists.
 */
export function loopParams(
  request: Pick<OpenRequest, 'maxIoBufBytes' | 'integrity'>,
  data: Pick<BackingFile, 'alignment' | 'readOnly' | 'holes'>,
  sectors: number,
): ParamsInit {
  const { integrity } = request;
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN,
    basic: {
      attrs:
        UBLK_ATTR_VOLATILE_CACHE |
        // A write of metadata takes no flags. With integrity, the kernel therefore sends a FUA write as a write and a
        // flush.
        (integrity === null ? UBLK_ATTR_FUA : 0) |
        (data.readOnly ? UBLK_ATTR_READ_ONLY : 0),
      logical_bs_shift: data.alignment.blockShift,
      physical_bs_shift: 12,
      io_opt_shift: 12,
      io_min_shift: 9,
      max_sectors: request.maxIoBufBytes >>> 9,
      dev_sectors: sectors,
    },
    dma: { alignment: Math.max(512, data.alignment.memory) - 1 },
  };
  // With integrity there are no holes, because their metadata would still describe the old data.
  return integrity === null ? withHoles(params, data.holes) : withIntegrity(params, integrity);
}
