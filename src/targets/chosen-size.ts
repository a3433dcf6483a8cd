/** `--size`, for the targets that store nothing and so can be as large as they are told. */
import { UblkError } from '../errors.ts';
import { parseSize } from '../sizes.ts';

/** kublk's size of a device without backing. */
const DEFAULT_BYTES = 250 * 2 ** 30;

export const SIZE_OPTION = { size: 'bytes of the device, or 1G, 1.5T ... (default 250G)' } as const;

/** null, or why the size that was asked for cannot be. */
export function refusedSize(options: Readonly<Record<string, string>>): string | null {
  try {
    chosenBytes(options);
    return null;
  } catch (error) {
    if (error instanceof UblkError) return error.message;
    throw error;
  }
}

export function chosenBytes(options: Readonly<Record<string, string>>): number {
  const text = options['size'];
  return text === undefined ? DEFAULT_BYTES : parseSize(text, { multipleOf: 512, what: '--size' });
}
