/** The option `size` of the targets that store nothing, so that their devices can have any size. */
import type { Text } from '../errors.ts';
import { parseSize } from '../sizes.ts';
import { refusalOf } from './refusal.ts';
import { option } from '../spec/option-names.ts';

/** The size that kublk gives a device without backing files. */
const DEFAULT_BYTES = 250 * 2 ** 30;

export const SIZE_OPTION = { size: 'size of the device in bytes, or as 1G or 1.5T (default 250G)' } as const;

/** Says why the size that was asked for is not possible; null when it is. */
export function refusedSize(options: Readonly<Record<string, string>>): Text | null {
  return refusalOf(() => chosenBytes(options));
}

export function chosenBytes(options: Readonly<Record<string, string>>, otherwise = DEFAULT_BYTES): number {
  const text = options['size'];
  return text === undefined ? otherwise : parseSize(text, { multipleOf: 512, what: [option('targetOptions.size')] });
}
