/** `--size`, for the targets that store nothing and so can be as large as they are told. */
import type { Text } from '../errors.ts';
import { parseSize } from '../sizes.ts';
import { refusalOf } from './refusal.ts';
import { option } from '../spec/option-names.ts';

/** kublk's size of a device without backing. */
const DEFAULT_BYTES = 250 * 2 ** 30;

export const SIZE_OPTION = { size: 'bytes of the device, or 1G, 1.5T ... (default 250G)' } as const;

/** null, or why the size that was asked for cannot be. */
export function refusedSize(options: Readonly<Record<string, string>>): Text | null {
  return refusalOf(() => chosenBytes(options));
}

export function chosenBytes(options: Readonly<Record<string, string>>): number {
  const text = options['size'];
  return text === undefined
    ? DEFAULT_BYTES
    : parseSize(text, { multipleOf: 512, what: [option('targetOptions.size')] });
}
