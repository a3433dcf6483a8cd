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
  const properties = propertiesOf(object);
  const absent = known.filter((name) => !properties.has(name));
  return [...properties]
    .filter(([name, isOne]) => !known.includes(name) && isOne === isFunction)
    .flatMap(([name]) => {
      const meant = closest(name.replace(/^on(?=[A-Z])/, ''), absent);
      return meant === undefined ? [] : [{ name, meant }];
    });
}

/** The names that the object and its classes have, each with whether it is a function. No getter is called: it may throw. */
function propertiesOf(object: object): Map<string, boolean> {
  const properties = new Map<string, boolean>();
  for (let one: unknown = object; isBelow(one); one = Object.getPrototypeOf(one)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(one))) {
      const value: unknown = descriptor.value;
      const isAbsent = value === undefined && descriptor.get === undefined;
      if (!isAbsent && name !== 'constructor' && !properties.has(name))
        properties.set(name, typeof value === 'function');
    }
  }
  return properties;
}

function isBelow(one: unknown): one is object {
  return typeof one === 'object' && one !== null && one !== Object.prototype;
}
