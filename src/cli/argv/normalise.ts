/**
 * kublk reads its options with getopt_long; scripts written for it rely on what getopt does and oclif does not. This
 * brings a command's words into the one form that oclif reads, with the command's own flags as the only knowledge:
 * either spelling of a name (`--shmem-zc`), the last of a repeated option wins, `--get_data 1` for kublk's long `-g`.
 * Unknown flags are refused here: oclif first parses the words around them, and complains about those.
 */
import { type UblkError, usageError } from '../../errors.ts';
import { closest } from '../dispatch/suggest.ts';

/** What of an oclif flag matters here. */
export interface FlagShape {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly multiple?: boolean | undefined;
}

export type FlagShapes = Readonly<Record<string, FlagShape>>;

/** kublk's table gives these a required argument, and its code never looks at it. */
const BOOLEANS_WITH_AN_ARGUMENT: ReadonlySet<string> = new Set(['get_data']);

export function normaliseArgv(argv: readonly string[], flags: FlagShapes): string[] {
  const words = new Words(argv, flags);
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

/** Is this flag among the words? For what must be known before, or without, a successful parse. */
export function wants(flag: string, argv: readonly string[]): boolean {
  return beforeDashes(argv).some((word) => fold(word) === fold(`--${flag}`));
}

/** The same for a letter on its own. */
export function wantsShort(letter: string, argv: readonly string[]): boolean {
  return beforeDashes(argv).includes(`-${letter}`);
}

/** A parse error must be JSON too, so this cannot wait for the parser. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = beforeDashes(argv);
  return words.some(
    (word, at) => /^--json$|^--format=json$/.test(word) || (word === '--format' && words[at + 1] === 'json'),
  );
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

function readLong(word: string, words: Words, flags: FlagShapes): void {
  const [spelled = '', ...rest] = word.slice(2).split('=');
  const name = canonicalName(spelled, flags);
  const flag = name === undefined ? undefined : flags[name];
  if (name === undefined || flag === undefined) throw unknownFlag(`--${spelled}`, closest(spelled, Object.keys(flags)));
  if (flag.type === 'option') {
    words.keepOption(name, `--${name}`, rest.length > 0 ? rest.join('=') : words.next());
  } else if (!BOOLEANS_WITH_AN_ARGUMENT.has(name)) {
    // oclif would read the value as a word of its own: `list --all=1` as device 1.
    if (rest.length > 0) throw usageError(`--${name} takes no value`, `write --${name} alone`);
    words.keep(`--${name}`);
  } else {
    const value = rest[0] ?? (/^[01]$/.test(words.peek() ?? '') ? words.next() : '1');
    if (value !== '0') words.keep(`--${name}`);
  }
}

/** `-zu`, `-q2`, `-zq 2`: letters up to the first that takes a value. */
function readCluster(word: string, words: Words, flags: FlagShapes): void {
  const name = nameOfChar(word[1] ?? '', flags);
  const flag = name === undefined ? undefined : flags[name];
  if (name === undefined || flag === undefined) throw unknownFlag(word.slice(0, 2));
  if (flag.type === 'option') {
    const attached = word.slice(2).replace(/^=/, '');
    words.keepOption(name, word.slice(0, 2), attached === '' ? words.next() : attached);
  } else {
    words.keep(word.slice(0, 2));
    if (word.length > 2) words.putBack(`-${word.slice(2)}`);
  }
}

function unknownFlag(word: string, meant?: string): UblkError {
  return usageError(
    `no such flag: ${word}`,
    meant === undefined ? '--help lists the flags' : `did you mean --${meant}?`,
  );
}

class Words {
  readonly #flags: FlagShapes;
  readonly #pending: string[];
  readonly #kept: (string | null)[] = [];
  /** Where in #kept an option that may stand once is. */
  readonly #places = new Map<string, number>();

  constructor(argv: readonly string[], flags: FlagShapes) {
    this.#pending = [...argv];
    this.#flags = flags;
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

function fold(name: string): string {
  return name.replaceAll('_', '-');
}
