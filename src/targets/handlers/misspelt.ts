/** Finds names of a target that are nearly those of its interface. Nothing looks at them, and no compiler may have said so. */
import { closest } from '../../text/suggest.ts';

export interface Misspelt {
  readonly name: string;
  readonly meant: string;
}

/**
 * `known`: the names of the interface, functions or others. A name that is there is meant by no other one, so that a target may
 * have helpers with names of that kind.
 */
export function misspeltNames(object: object, known: readonly string[], isFunction: boolean): Misspelt[] {
  const absent = known.filter((name) => Reflect.get(object, name) === undefined);
  return namesOf(object)
    .filter((name) => !known.includes(name) && (typeof Reflect.get(object, name) === 'function') === isFunction)
    .flatMap((name) => {
      const meant = closest(name.replace(/^on(?=[A-Z])/, ''), absent);
      return meant === undefined ? [] : [{ name, meant }];
    });
}

/** Those of its class, too. */
function namesOf(object: object): string[] {
  const parent: unknown = Object.getPrototypeOf(object);
  const inherited = typeof parent === 'object' && parent !== null && parent !== Object.prototype ? namesOf(parent) : [];
  return [...Object.getOwnPropertyNames(object), ...inherited].filter((name) => name !== 'constructor');
}
