/** A value of any kind, as a message shows it: in one line that is not too long. */
import { inspect } from 'node:util';
import { oneLine } from './one-line.ts';
import { shortened } from './shortened.ts';

const MOST_CHARACTERS = 200;

/** Never throws, whatever the value does when it is looked at. */
export function shown(value: unknown): string {
  return shortened(inspected(value), MOST_CHARACTERS);
}

function inspected(value: unknown): string {
  try {
    // Long arrays and the stacks of errors have lines all the same.
    return oneLine(inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 10 }));
  } catch {
    return typeof value;
  }
}
