import { type Text, UblkError } from '../errors.ts';

/** What a target's `refuses` answers when its options are parsed by functions that throw: null, or their message. */
export function refusalOf(parse: () => unknown): Text | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof UblkError) return error.text;
    throw error;
  }
}
