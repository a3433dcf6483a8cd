import type { ParamsInit } from '../../control/commands.ts';
import { type Text, UblkError } from '../../errors.ts';
import {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_VOLATILE_CACHE,
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DMA_ALIGN,
} from '../../native/uapi/ublk-params.ts';
import { option } from '../../spec/option-names.ts';
import type { BackingFile } from '../backing-files.ts';
import { commonHoles, withHoles } from '../holes.ts';
import type { OpenRequest } from '../target.ts';
import { maxRequestBytes } from './vectors.ts';

/** The alignment of memory that the block layer keeps by default, in bytes. */
const DEFAULT_MEMORY = 4;

/**
 * The bytes that are used of each file, in whole chunks. Throws when the files do not hold the same number of chunks.
 */
export function bytesPerFile(files: readonly Pick<BackingFile, 'path' | 'bytes'>[], chunk: number): number {
  const rounded = files.map(({ bytes }) => Math.floor(bytes / chunk) * chunk);
  const [first = 0] = rounded;
  const other = rounded.findIndex((bytes) => bytes !== first);
  if (other >= 0) {
    const [a, b] = [files[0], files[other]];
    const reason = `${a?.path} holds ${first / chunk} chunks of ${chunk} bytes, and ${b?.path} holds ${rounded[other]! / chunk}`;
    throw refusal(
      `the files of a stripe device must have the same size: ${reason}`,
      'make them equal, for instance with `truncate -s 1G FILE`',
    );
  }
  if (first === 0) {
    throw refusal(`${files[0]?.path} is smaller than one chunk of ${chunk} bytes`, [
      'make the files larger, or choose a smaller ',
      option('targetOptions.chunk_size'),
    ]);
  }
  return first;
}

/** The bytes that each file needs for a device of `bytes` bytes, in whole chunks. */
export function neededPerFile(bytes: number, files: number, chunk: number): number {
  return Math.ceil(bytes / (files * chunk)) * chunk;
}

/**
 * The parameters of a stripe device. They are those of kublk (tools/testing/selftests/ublk/stripe.c), except for what
 * docs/kublk-differences.md lists.
 */
export function stripeParams(
  request: Pick<OpenRequest, 'maxIoBufBytes'>,
  files: readonly Pick<BackingFile, 'path' | 'bytes' | 'alignment' | 'readOnly' | 'holes'>[],
  chunk: number,
): ParamsInit {
  const memory = Math.max(...files.map((file) => file.alignment.memory));
  const readOnly = files.some((file) => file.readOnly);
  const params: ParamsInit = {
    types: UBLK_PARAM_TYPE_BASIC | (memory > DEFAULT_MEMORY ? UBLK_PARAM_TYPE_DMA_ALIGN : 0),
    basic: {
      attrs: UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA | (readOnly ? UBLK_ATTR_READ_ONLY : 0),
      logical_bs_shift: Math.max(...files.map((file) => file.alignment.blockShift)),
      physical_bs_shift: 12,
      io_opt_shift: 12,
      io_min_shift: 9,
      max_sectors: Math.min(request.maxIoBufBytes, maxRequestBytes(files.length, chunk)) >>> 9,
      dev_sectors: (bytesPerFile(files, chunk) / 512) * files.length,
    },
    // With zero copy the client's pages go to the files as they are, so they need the alignment of the files.
    ...(memory > DEFAULT_MEMORY && { dma: { alignment: memory - 1 } }),
  };
  return withHoles(params, commonHoles(files.map((file) => file.holes)));
}

function refusal(message: string, hint: Text): UblkError {
  return new UblkError(message, { code: 'EINVAL', command: 'open', hint });
}
