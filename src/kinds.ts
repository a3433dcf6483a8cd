/** Kinds of values. A caller in JavaScript has no compiler that says whether a value is of the kind that it must be. */
import { usageError } from './errors.ts';
import { shown } from './text/shown.ts';

export interface Kind {
  readonly is: (value: unknown) => boolean;
  /** The words behind "not". */
  readonly words: string;
}

/** Kinds by the names of the options that have to be of them. */
export type Kinds<Name extends string = string> = Readonly<Record<Name, Kind>>;

export const TEXT: Kind = { is: (value) => typeof value === 'string', words: 'a text' };
export const SWITCH: Kind = { is: (value) => typeof value === 'boolean', words: 'true or false' };
/** Its range is the business of other checks. */
export const NUMBER: Kind = { is: (value) => typeof value === 'number', words: 'a number' };
export const COUNT: Kind = {
  is: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  words: 'a whole number from 0 to 2^53 - 1',
};
export const BYTES: Kind = { is: (value) => value instanceof Uint8Array, words: 'a Buffer' };

/** Throws a UblkError that names the option, unless its value is of the kind. */
export function requireKind(option: string, value: unknown, { is, words }: Kind): void {
  if (!is(value)) throw usageError([{ option }, ` is ${shown(value)}, not ${words}`]);
}

/** Throws a UblkError unless these are options with these names, and of these kinds. */
export function requireKinds(options: unknown, kinds: Kinds): void {
  requireNames(options, kinds, 'this call');
  for (const [name, kind] of Object.entries(kinds)) requireKind(name, options[name], kind);
}

/** Throws a UblkError unless these are options, and have none of other names. `whose` begins the sentence about one that has. */
export function requireNames(
  options: unknown,
  names: Readonly<Record<string, unknown>>,
  whose: string,
): asserts options is Readonly<Record<string, unknown>> {
  requireOptions(options);
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw usageError(`${whose} has no option ${unknown[0]}`, `the options are ${Object.keys(names).join(', ')}`);
}

/** Throws a UblkError unless the value can have options as its properties. */
export function requireOptions(value: unknown): asserts value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw usageError(`options are an object, and not ${shown(value)}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf({ is, words }: Kind): Kind {
  // `every` leaves out the holes of a list.
  return { is: (value) => Array.isArray(value) && [...value].every(is), words: `a list, with ${words} in each place` };
}

/** The kind of an option that can be left out. */
export function optional({ is, words }: Kind): Kind {
  return { is: (value) => value === undefined || is(value), words };
}

export function orNull({ is, words }: Kind): Kind {
  return { is: (value) => value === null || is(value), words: `${words} or null` };
}

export function oneOf(...names: readonly string[]): Kind {
  return { is: (value) => names.some((name) => name === value), words: names.join(' or ') };
}

/** An object that has no other properties than these. */
export function objectOf<T>(kinds: Kinds<keyof T & string>): Kind {
  const all = Object.entries<Kind>(kinds);
  return {
    is: (value) =>
      isObject(value) &&
      Object.keys(value).every((name) => Object.hasOwn(kinds, name)) &&
      all.every(([name, { is }]) => is(value[name])),
    words: `an object of ${all.map(([name, { words }]) => `${name} (${words})`).join(', ')}`,
  };
}
