import { type Text, UblkError } from '../errors.ts';

/** The answer of a target's `refuses` when functions that throw parse its options: their message, or null. */
export function refusalOf(parse: () => unknown): Text | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof UblkError) return error.text;
    throw error;
  }
}
