/** What a handler has returned: nothing, a promise of nothing, or something that cannot be taken for an answer. */
import { isObject } from '../../kinds.ts';

/** The promise that a handler has returned; null when its work is done. Throws for anything else. Hot path. */
export function promiseOf(outcome: unknown): Promise<unknown> | null {
  if (outcome === undefined) return null;
  // A promise of another realm, of a class of its own or of a library becomes one of V8's, which calls back once and later, whatever
  // the `then` of the other one does. A promise that is one of V8's stays what it is.
  if (outcome instanceof Promise || (isObject(outcome) && typeof outcome['then'] === 'function'))
    return Promise.resolve(outcome);
  throw new UnexpectedResult('it returned', outcome);
}

/**
 * The failure of a handler that has answered with a value. A number is likely one of bytes, and can be less than was
 * asked for: as an answer, it would give the client what the buffer held before.
 */
export class UnexpectedResult extends Error {
  /** `how`: the value came with the call, or from its promise. */
  constructor(how: 'it returned' | 'its promise was fulfilled with', value: unknown) {
    const rest =
      typeof value === 'number' ? '; if it counts bytes, the handler asks for the rest until it has all' : '';
    super(`${how} ${nameOf(value)}: a handler returns nothing, or a promise of nothing${rest}`);
  }
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
