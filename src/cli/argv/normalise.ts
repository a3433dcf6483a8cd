/**
 * Rewrites a command's words into the one form that oclif reads. kublk reads its options with getopt_long, and scripts
 * written for it rely on habits of getopt that oclif does not have: a name in either spelling (`--shmem-zc`), the last
 * of a repeated option wins, `--get_data 1` stands for `-g`. Unknown flags are refused here, because oclif would first
 * parse the words around them and complain about those.
 */
import { existsSync } from 'node:fs';
import { type UblkError, usageError } from '../../errors.ts';
import { closest } from '../../text/suggest.ts';
import { fold } from './fold.ts';

/** The properties of an oclif flag that matter here. */
export interface FlagShape {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly multiple?: boolean | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
}

export type FlagShapes = Readonly<Record<string, FlagShape>>;

/** The value that the help shows for a switch that takes 0 or 1. */
export const ZERO_OR_ONE = '0|1';

/** The value that the help shows for a flag that may stand alone. Its value has to follow a `=`: `--server=NAME`. */
export const OPTIONAL_NAME = '[NAME]';

/** How such a flag is written in the help and in documents. With a space in place of the `=`, the name would be a file. */
export function withOptionalName(name: string): string {
  return `${name}[=NAME]`;
}

/** kublk's option table gives these a required argument, which its code never looks at. */
const BOOLEANS_WITH_AN_ARGUMENT: ReadonlySet<string> = new Set(['get_data']);

/** `hint` is what an unknown flag is answered with, unless it is close to another one. */
export function normaliseArgv(argv: readonly string[], flags: FlagShapes, hint = '--help lists the flags'): string[] {
  const words = new Words(argv, flags, hint);
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === '--') {
      words.keepTheRest(word);
    } else if (word.startsWith('--')) {
      readLong(word, words, flags);
    } else if (word.startsWith('-') && word.length > 1) {
      readCluster(word, words, flags);
    } else {
      words.keep(word);
    }
  }
  return words.result();
}

function readLong(word: string, words: Words, flags: FlagShapes): void {
  const [spelled = '', ...rest] = word.slice(2).split('=');
  const name = canonicalName(spelled, flags);
  const flag = name === undefined ? undefined : flags[name];
  if (name === undefined || flag === undefined) {
    const hint = namesAFile(spelled, flags) ? FILE_IS_A_WORD : (meantFlag(spelled, flags) ?? words.hint);
    throw unknownFlag(`--${spelled}`, hint);
  }
  if (flag.type === 'option') {
    const isAlone = rest.length === 0 && flag.helpValue === OPTIONAL_NAME;
    if (isAlone) refuseNameBehind(`--${name}`, words.peek());
    const value = isAlone ? '' : rest.length > 0 ? rest.join('=') : words.next();
    requireZeroOrOne(flag, `--${spelled}`, value);
    words.keepOption(name, `--${name}`, value);
  } else if (!BOOLEANS_WITH_AN_ARGUMENT.has(name)) {
    // oclif would read the value as a word of its own: `list --all=1` as device 1.
    if (rest.length > 0) throw usageError(`--${name} takes no value`, `write --${name} alone`);
    words.keep(`--${name}`);
  } else {
    const value = rest[0] ?? (/^[01]$/.test(words.peek() ?? '') ? words.next() : '1');
    if (value !== '0') words.keep(`--${name}`);
  }
}

/** `--server x` is the flag alone and the file or device x. Where x can be neither, it is meant as the name. */
function refuseNameBehind(flag: string, next: string | undefined): void {
  if (next === undefined || next.startsWith('-') || /[/:]|^(?:ublk[bc])?\d+$/.test(next) || existsSync(next)) return;
  throw usageError(
    `${flag} ${next}: a name follows an equals sign, and there is no file ${next}`,
    `write ${flag}=${next}`,
  );
}

/** Reads `-zu`, `-q2`, `-zq 2`: letters up to the first one that takes a value. */
function readCluster(word: string, words: Words, flags: FlagShapes): void {
  const name = nameOfChar(word[1] ?? '', flags);
  const flag = name === undefined ? undefined : flags[name];
  if (name === undefined || flag === undefined) throw unknownFlag(word.slice(0, 2), words.hint);
  if (flag.type === 'option') {
    const attached = word.slice(2).replace(/^=/, '');
    const value = attached === '' ? words.next() : attached;
    requireZeroOrOne(flag, word.slice(0, 2), value);
    words.keepOption(name, word.slice(0, 2), value);
  } else {
    words.keep(word.slice(0, 2));
    if (word.length > 2) words.putBack(`-${word.slice(2)}`);
  }
}

/** kublk's switches take 0 or 1, which is forgotten easily: `-i disk.img`. */
function requireZeroOrOne({ helpValue }: FlagShape, spelled: string, value: string | undefined): void {
  if (helpValue !== ZERO_OR_ONE || value === '0' || value === '1') return;
  if (value === undefined) throw usageError(`${spelled} takes 0 or 1`, `write \`${spelled} 1\``);
  const message = `${spelled} takes 0 or 1, not ${JSON.stringify(value)}`;
  if (NO.test(value)) throw usageError(message, `write \`${spelled} 0\``);
  const isAnotherWord = !YES.test(value) && !/^-|^\d+$/.test(value);
  throw usageError(message, `write \`${spelled} 1${isAnotherWord ? ` ${value}` : ''}\``);
}

const YES = /^(?:yes|y|true|on)$/i;
const NO = /^(?:no|n|false|off)$/i;

const FILE_IS_A_WORD = 'name the file as a word: `ublkts add -t loop FILE`';
const FILE_FLAGS: ReadonlySet<string> = new Set(['file', 'files', 'path', 'image', 'disk', 'backing-file']);

/** Backing files are taken by the commands that have --type: `add`, `recover` and `set_params`. */
function namesAFile(spelled: string, flags: FlagShapes): boolean {
  return flags['type'] !== undefined && FILE_FLAGS.has(fold(spelled));
}

function meantFlag(spelled: string, flags: FlagShapes): string | undefined {
  const meant = closest(spelled, Object.keys(flags));
  return meant === undefined ? undefined : `did you mean --${meant}?`;
}

function unknownFlag(word: string, hint: string): UblkError {
  return usageError(`no such flag: ${word}`, hint);
}

/** The words that are still to be read, and those that are kept for oclif. */
class Words {
  /** What an unknown flag is answered with. */
  readonly hint: string;
  readonly #flags: FlagShapes;
  readonly #pending: string[];
  readonly #kept: (string | null)[] = [];
  /** The place in #kept of each option that may stand only once. */
  readonly #places = new Map<string, number>();

  constructor(argv: readonly string[], flags: FlagShapes, hint: string) {
    this.#pending = [...argv];
    this.#flags = flags;
    this.hint = hint;
  }

  next(): string | undefined {
    return this.#pending.shift();
  }

  peek(): string | undefined {
    return this.#pending[0];
  }

  putBack(word: string): void {
    this.#pending.unshift(word);
  }

  keep(word: string): void {
    this.#kept.push(word);
  }

  keepOption(name: string, spelled: string, value: string | undefined): void {
    const place = this.#places.get(name);
    if (place !== undefined && this.#flags[name]?.multiple !== true) this.#kept.fill(null, place, place + 2);
    this.#places.set(name, this.#kept.length);
    this.#kept.push(spelled, value ?? null);
  }

  keepTheRest(word: string): void {
    this.#kept.push(word, ...this.#pending.splice(0));
  }

  result(): string[] {
    return this.#kept.filter((word) => word !== null);
  }
}

function canonicalName(spelled: string, flags: FlagShapes): string | undefined {
  if (flags[spelled] !== undefined) return spelled;
  return Object.keys(flags).find((name) => fold(name) === fold(spelled));
}

function nameOfChar(char: string, flags: FlagShapes): string | undefined {
  return Object.keys(flags).find((name) => flags[name]?.char === char);
}
