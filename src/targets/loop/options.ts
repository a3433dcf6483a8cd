/** The options of the target loop: which part of the file is the device, and how it is opened. */
import { type Text, UblkError, usageError } from '../../errors.ts';
import { parseSize } from '../../sizes.ts';
import { option } from '../../spec/option-names.ts';
import type { BackingFile } from '../backing-files.ts';
import { parseSwitch } from '../switch.ts';

export const LOOP_OPTIONS = {
  offset: 'where in the file the device begins, in bytes (default 0)',
  sizelimit: 'the most bytes of the file that the device has (default: all)',
  read_only: 'yes: the file is opened read-only, and so is the device',
  buffered_io: 'yes: through the page cache, not with direct I/O',
  logical_block_size: 'bytes of the smallest request: 512, 1024, 2048 or 4096 (default: what the file needs)',
  no_discard: 'yes: discards and zeroes are not offered',
} as const;

export interface LoopOptions {
  /** Bytes. */
  readonly offset: number;
  /** Bytes; 0: there is no limit. */
  readonly limit: number;
  readonly readOnly: boolean;
  readonly buffered: boolean;
  /** Bytes; 0: the block that the file needs. */
  readonly block: number;
  readonly discards: boolean;
}

const SECTOR = 512;
const BLOCKS = [512, 1024, 2048, 4096];

/** Throws a usage error for a text that an option does not take. */
export function parseLoopOptions(options: Readonly<Record<string, string>>): LoopOptions {
  const block = options['logical_block_size'] === undefined ? 0 : Number(options['logical_block_size']);
  if (block !== 0 && !BLOCKS.includes(block)) {
    throw usageError(
      [option('targetOptions.logical_block_size'), ` ${options['logical_block_size']} is not a block size`],
      `it is one of ${BLOCKS.join(', ')}`,
    );
  }
  return {
    offset: bytesOf(options, 'offset'),
    limit: bytesOf(options, 'sizelimit'),
    readOnly: isOn(options, 'read_only'),
    buffered: isOn(options, 'buffered_io'),
    block,
    discards: !isOn(options, 'no_discard'),
  };
}

/** The part of the file that is the device, as a file of its own. Throws a UblkError when the file has no such part. */
export function partOf(file: BackingFile, { offset, limit, block, discards }: LoopOptions): BackingFile {
  const needed = 2 ** file.alignment.blockShift;
  if (block !== 0 && block < needed) {
    throw refused(file, [
      option('targetOptions.logical_block_size'),
      ` ${block} is smaller than its blocks of ${needed} bytes`,
    ]);
  }
  if (offset % needed !== 0) {
    throw refused(file, [
      option('targetOptions.offset'),
      ` ${offset} is not a multiple of its blocks of ${needed} bytes`,
    ]);
  }
  if (offset >= file.bytes) {
    throw refused(file, [option('targetOptions.offset'), ` ${offset} is not within its ${file.bytes} bytes`]);
  }
  if (limit > file.bytes - offset) {
    throw refused(file, [
      option('targetOptions.sizelimit'),
      ` ${limit} is more than the ${file.bytes - offset} bytes that it has there`,
    ]);
  }
  const blockShift = Math.max(file.alignment.blockShift, block === 0 ? 0 : Math.log2(block));
  const isAligned = offset % file.holes.granularity === 0;
  return {
    ...file,
    bytes: limit === 0 ? file.bytes - offset : limit,
    alignment: { ...file.alignment, blockShift },
    // A hole can only be made where the blocks of the file system begin.
    holes: discards && isAligned ? file.holes : { ...file.holes, punches: false, zeroes: false, allocates: false },
  };
}

function refused(file: BackingFile, why: Text): UblkError {
  const hint =
    file.alignment.blockShift > 9
      ? ['with ', option('targetOptions.buffered_io'), ' its blocks are of 512 bytes']
      : undefined;
  return new UblkError([`cannot use backing file ${file.path}: `, ...[why].flat()], {
    code: 'EINVAL',
    kind: 'usage',
    command: 'open',
    ...(hint === undefined ? {} : { hint }),
  });
}

function bytesOf(options: Readonly<Record<string, string>>, name: 'offset' | 'sizelimit'): number {
  const text = options[name];
  return text === undefined ? 0 : parseSize(text, { multipleOf: SECTOR, what: [option(`targetOptions.${name}`)] });
}

function isOn(options: Readonly<Record<string, string>>, name: string): boolean {
  return parseSwitch(options[name] ?? 'no', name);
}

/** A device beyond its limit could not be recovered: the next server would find that there is less. */
export function requireWithinLimit({ limit }: LoopOptions, bytes: number): void {
  if (limit === 0 || bytes <= limit) return;
  throw usageError(
    [`the device cannot have ${bytes} bytes: it was made with `, option('targetOptions.sizelimit'), ` ${limit}`],
    'add it again with a larger limit, or without one',
  );
}
