import { usageError } from '../../errors.ts';
import { formatSize, parseSize } from '../../sizes.ts';
import { option } from '../../spec/option-names.ts';

export const MAX_FILES = 32;
const CHUNK_SIZE = option('targetOptions.chunk_size');
const DEFAULT_CHUNK = 64 << 10;
const MIN_CHUNK = 4 << 10;
const MAX_CHUNK = 512 << 10;

/** The size of a chunk: the bytes in one file before the next file follows. Throws a usage error for a wrong size. */
export function chunkSizeOf({ chunk_size: text }: Readonly<Record<string, string>>): number {
  const bytes = text === undefined ? DEFAULT_CHUNK : parseSize(text, { what: [CHUNK_SIZE] });
  const isPowerOf2 = Number.isInteger(Math.log2(bytes));
  if (isPowerOf2 && bytes >= MIN_CHUNK && bytes <= MAX_CHUNK) return bytes;
  throw usageError(
    [CHUNK_SIZE, isPowerOf2 ? ` ${bytes} is out of range` : ` ${bytes} is not a power of 2`],
    `it is a power of 2 from ${formatSize(MIN_CHUNK)} to ${formatSize(MAX_CHUNK)}`,
  );
}
