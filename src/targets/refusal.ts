import { type Text, UblkError } from '../errors.ts';

/**
 * Turns an exception of `parse` into what a target's `refuses` returns: the message, or null when nothing is thrown.
 */
export function refusalOf(parse: () => unknown): Text | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof UblkError) return error.text;
    throw error;
  }
}
