/**
 * The names of options in messages. A message carries the name as data (errors.ts), so that a caller of the library
 * reads `threads` and a person at the command line reads `--nthreads` (cli/flags/flag-names.ts).
 */
import type { OptionMention } from '../errors.ts';
import type { Feature } from './features.ts';
import type { AddOptions, IntegrityOptions } from './options.ts';

/** The names that a refusal may use: an option, a part of one, a feature, or an option of the target's own. */
export type OptionName =
  | Exclude<keyof AddOptions, 'integrity'>
  | `integrity.${keyof IntegrityOptions}`
  | `features.${Feature}`
  | `targetOptions.${string}`
  /** An option of `deleteDevice` and `stopDevice`. */
  | 'force'
  /** An option of `updateSize`. */
  | 'grow'
  /** An option of `benchDevice`. */
  | 'write';

export function option(name: OptionName): OptionMention {
  return { option: name };
}
