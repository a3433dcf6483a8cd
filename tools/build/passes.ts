/**
 * The passes of the bundler over src/. Each pass is a set of entries that share their chunks; what runs in another
 * process or on another thread has a pass of its own, so that it loads nothing of the others.
 */
import { globSync } from 'node:fs';

export interface Pass {
  /** The file in dist/ without its extension, and the file in src/ that it is made from. */
  readonly entries: Readonly<Record<string, string>>;
  /** One file per entry; otherwise what is imported dynamically or by several entries becomes a chunk. */
  readonly whole: boolean;
  /**
   * `cjs` for what is started again and again: Node loads a file of CommonJS with fewer instructions than an ES module.
   * `es` for what is imported from outside, and for what needs packages that are ES modules only.
   */
  readonly format: 'cjs' | 'es';
}

export const PASSES: readonly Pass[] = [
  // oclif finds the commands by their files.
  { entries: entriesOf(['main.ts', ...globSync('commands/**/*.ts', { cwd: 'src' })]), whole: false, format: 'cjs' },
  { entries: entriesOf(['index.ts', 'monitor/run.ts', 'monitor/foreground.ts']), whole: false, format: 'es' },
  { entries: entriesOf(['server/main.ts']), whole: true, format: 'cjs' },
  { entries: entriesOf(['server/resident/main.ts']), whole: true, format: 'cjs' },
  { entries: entriesOf(['native/hand/main.ts']), whole: true, format: 'cjs' },
  // A target's file imports them on a queue thread, which loads nothing else of the program.
  { entries: entriesOf(['target.ts']), whole: true, format: 'es' },
  { entries: entriesOf(['target-ring.ts']), whole: true, format: 'es' },
  // V8 puts constants and functions in place within one module only (docs/decisions/0006).
  { entries: entriesOf(['queue/main.ts']), whole: true, format: 'cjs' },
  { entries: entriesOf(['targets/nbd/tls/main.ts']), whole: true, format: 'cjs' },
  { entries: entriesOf(['queue/shared/main.ts']), whole: true, format: 'cjs' },
  { entries: entriesOf(['targets/check/main.ts']), whole: true, format: 'cjs' },
];

function entriesOf(files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.replace(/\.ts$/, ''), `src/${file}`]));
}
