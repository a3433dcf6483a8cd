import type { Text } from '../../errors.ts';
import { parseSize } from '../../sizes.ts';
import { option } from '../../spec/option-names.ts';

export const MAX_FILES = 32;
const CHUNK_SIZE = option('targetOptions.chunk_size');
const DEFAULT_CHUNK = 64 << 10;
const MIN_CHUNK = 4 << 10;
const MAX_CHUNK = 512 << 10;

/**
 * The size of a chunk: the bytes in one file before the next file follows. Throws a usage error for what is not a size.
 */
export function chunkSizeOf(options: Readonly<Record<string, string>>): number {
  const { chunk_size } = options;
  return chunk_size === undefined ? DEFAULT_CHUNK : parseSize(chunk_size, { what: [CHUNK_SIZE] });
}

/** A sentence that says why a chunk cannot have this size, or null. */
export function refusesChunk(bytes: number): Text | null {
  if (!Number.isInteger(Math.log2(bytes))) return [CHUNK_SIZE, ` ${bytes} is not a power of 2`];
  if (bytes < MIN_CHUNK || bytes > MAX_CHUNK)
    return [CHUNK_SIZE, ` ${bytes} is not between ${MIN_CHUNK} and ${MAX_CHUNK}`];
  return null;
}
