import { usageError } from '../../errors.ts';
import { option, type OptionName } from '../option-names.ts';

/** Refuses what is not a whole number from `least` to `most`. */
export function checkRange(name: OptionName, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw usageError([option(name), ` ${value} is out of range`], `it goes from ${least} to ${most}`);
}
