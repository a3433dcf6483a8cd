/** Looks for a flag among the words before, or without, a successful parse: a parse error has to be JSON too. */
import { fold } from './fold.ts';

/** Is this flag among the words, in either spelling? */
export function wants(flag: string, argv: readonly string[]): boolean {
  return beforeDashes(argv).some((word) => fold(word) === fold(`--${flag}`));
}

/** The same for a letter on its own. */
export function wantsShort(letter: string, argv: readonly string[]): boolean {
  return beforeDashes(argv).includes(`-${letter}`);
}

/** Is JSON asked for, by `--json` or by `--format json`? */
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
