/**
 * The kinds of options that a target can declare. An option is given as `-o NAME=VALUE`; its kind says which texts it
 * takes and what the target gets for them.
 */
import { isAbsolute, resolve } from 'node:path';
import { usageError } from '../../errors.ts';
import { parseSize } from '../../sizes.ts';
import { option } from '../../spec/option-names.ts';
import { parseSwitch } from '../switch.ts';

/** One declared option. It is made by `size`, `integer`, `text`, `flag` and `path`. */
export interface OptionKind<Value> {
  readonly kind: 'size' | 'integer' | 'text' | 'flag' | 'path';
  /** Says what the option does, in one line; `add -t FILE --help` shows it. */
  readonly summary: string;
  /** The default as it would be written after `NAME=`; undefined when there is none. */
  readonly defaultText: string | undefined;
  readonly required: boolean;
  /** Throws a UblkError for a text that the option does not take. `name` is for the message. */
  parse(text: string, name: string): Value;
}

/** The options of a target, by name. A name is made of small letters, digits and `_`. */
export type OptionKinds = Readonly<Record<string, OptionKind<unknown>>>;

/** What a target gets for its declared options. */
export type OptionValues<Kinds extends OptionKinds> = {
  readonly [Name in keyof Kinds]: Kinds[Name] extends OptionKind<infer Value> ? Value : never;
};

/** What every kind of option takes. An option has a default, or is required, or is undefined when it is not given. */
export interface OptionInit {
  readonly summary: string;
  /** Whether the device cannot be made without it. The default is false. */
  readonly required?: boolean | undefined;
}

export interface SizeInit extends OptionInit {
  /** Bytes, or a text such as `1G`. */
  readonly default?: number | string | undefined;
  /** Bytes; 1 by default. Use 512 or the size of a block for the size of a device. */
  readonly multipleOf?: number | undefined;
  /** The smallest and the largest value, in bytes; 0 and 2^53 - 1 by default. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/**
 * A number of bytes, written `512`, `64k`, `1.5G`: K, M, G and T are powers of 1024. The target gets a number.
 */
export function size(
  init: SizeInit & ({ readonly default: number | string } | { readonly required: true }),
): OptionKind<number>;
export function size(init: SizeInit): OptionKind<number | undefined>;
export function size(init: SizeInit): OptionKind<number | undefined> {
  const { multipleOf = 1 } = init;
  return optionKind('size', init, (text, name) =>
    inRange(parseSize(text, { multipleOf, what: [option(`targetOptions.${name}`)] }), init, name),
  );
}

export interface IntegerInit extends OptionInit {
  readonly default?: number | undefined;
  /** The smallest and the largest value; 0 and 2^53 - 1 by default. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A whole number, written in decimal. The target gets a number. */
export function integer(
  init: IntegerInit & ({ readonly default: number } | { readonly required: true }),
): OptionKind<number>;
export function integer(init: IntegerInit): OptionKind<number | undefined>;
export function integer(init: IntegerInit): OptionKind<number | undefined> {
  return optionKind('integer', init, (text, name) => {
    if (!/^-?\d+$/.test(text))
      throw refused(name, text, 'is not a whole number', 'write it in decimal, for example 16');
    return inRange(Number(text), init, name);
  });
}

export interface TextInit extends OptionInit {
  readonly default?: string | undefined;
  /** The only values that the option takes; any by default. */
  readonly choices?: readonly string[] | undefined;
}

/** Any text, or one of `choices`. */
export function text(init: TextInit & ({ readonly default: string } | { readonly required: true })): OptionKind<string>;
export function text(init: TextInit): OptionKind<string | undefined>;
export function text(init: TextInit): OptionKind<string | undefined> {
  const { choices } = init;
  return optionKind('text', init, (value, name) => {
    if (choices === undefined || choices.includes(value)) return value;
    throw refused(name, value, 'is none of its values', `it is ${choices.join(' or ')}`);
  });
}

export interface PathInit extends OptionInit {
  readonly default?: string | undefined;
}

/**
 * The path of a file, which need not exist. One that is not absolute begins in the directory in which `add` was typed;
 * the target gets an absolute path, after a recovery too.
 */
export function path(init: PathInit & ({ readonly default: string } | { readonly required: true })): OptionKind<string>;
export function path(init: PathInit): OptionKind<string | undefined>;
export function path(init: PathInit): OptionKind<string | undefined> {
  return optionKind('path', init, (value, name) => {
    if (value === '') throw refused(name, value, 'is not a path', 'name a file');
    return isAbsolute(value) ? value : resolve(value);
  });
}

export interface FlagInit {
  readonly summary: string;
  readonly default?: boolean | undefined;
}

/** A switch, written `yes` or `no` (also true, on, 1; false, off, 0). It is off by default. */
export function flag(init: FlagInit): OptionKind<boolean> {
  return optionKind('flag', { summary: init.summary, default: init.default === true ? 'yes' : 'no' }, parseSwitch);
}

/** Reads the texts that were given. Throws a UblkError for an unknown name, a bad value, and a required option that is missing. */
export function parseOptions<Kinds extends OptionKinds>(
  kinds: Kinds,
  given: Readonly<Record<string, string>>,
): OptionValues<Kinds> {
  const entries = Object.entries(kinds).map(([name, kind]) => {
    const written = writtenOf(given, name) ?? kind.defaultText;
    if (written !== undefined) return [name, kind.parse(written, name)];
    if (!kind.required) return [name, undefined];
    throw usageError(
      ['the target needs ', option(`targetOptions.${name}`), `: ${kind.summary}`],
      ['give it, for example -o ', `${name}=VALUE`],
    );
  });
  return Object.fromEntries(entries) as OptionValues<Kinds>;
}

/** The options as they are recorded, so that they mean the same in every directory: a path has become absolute. */
export function recordedOptions(
  kinds: OptionKinds,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const paths = Object.entries(kinds).flatMap(([name, { kind, defaultText }]) => {
    const written = writtenOf(given, name) ?? defaultText ?? '';
    return kind === 'path' && written !== '' ? [[name, resolve(written)]] : [];
  });
  return { ...given, ...Object.fromEntries(paths) };
}

/** An option may be named `constructor`, which every object has from its class. */
function writtenOf(given: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(given, name) ? given[name] : undefined;
}

/** `how large the disk is (size; default 1G)`: an option in help. */
export function describeOption({ kind, summary, defaultText, required }: OptionKind<unknown>): string {
  const more = required ? ' required' : defaultText === undefined ? '' : ` default ${defaultText}`;
  return `${summary} (${kind}${more === '' ? '' : `;${more}`})`;
}

function optionKind<Value>(
  kind: OptionKind<Value>['kind'],
  init: OptionInit & { readonly default?: number | string | undefined },
  parse: (text: string, name: string) => Value,
): OptionKind<Value> {
  const { summary, required = false } = init;
  const defaultText = init.default === undefined ? undefined : String(init.default);
  return Object.freeze({ kind, summary, defaultText, required, parse });
}

function inRange(
  value: number,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Pick<SizeInit, 'min' | 'max'>,
  name: string,
): number {
  if (value >= min && value <= max) return value;
  throw refused(name, String(value), 'is out of range', `it goes from ${min} to ${max}`);
}

function refused(name: string, value: string, why: string, hint: string): Error {
  return usageError([option(`targetOptions.${name}`), ` ${JSON.stringify(value)} ${why}`], hint);
}
