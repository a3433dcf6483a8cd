/** The option `size` of the targets that store nothing, so that their devices can have any size. */
import { parseSize } from '../sizes.ts';
import { option } from '../spec/option-names.ts';

/** The size that kublk gives a device without backing files. */
const DEFAULT_BYTES = 250 * 2 ** 30;

export const SIZE_OPTION = { size: 'size of the device in bytes, or as 1G or 1.5T (default 250G)' } as const;

/** The size that the options ask for, in bytes. Throws a usage error for a size that no device can have. */
export function chosenBytes(options: Readonly<Record<string, string>>, otherwise = DEFAULT_BYTES): number {
  const text = options['size'];
  return text === undefined ? otherwise : parseSize(text, { multipleOf: 512, what: [option('targetOptions.size')] });
}
