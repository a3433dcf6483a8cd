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
}

export const PASSES: readonly Pass[] = [
  {
    // The monitor is an entry for its tests, which run it without a command; oclif finds the commands by their files.
    entries: entriesOf(['main.ts', 'index.ts', 'monitor/run.ts', ...globSync('commands/**/*.ts', { cwd: 'src' })]),
    whole: false,
  },
  { entries: entriesOf(['server/main.ts']), whole: true },
  { entries: entriesOf(['control/hand/main.ts']), whole: true },
  // V8 puts constants and functions in place within one module only (docs/decisions/0006).
  { entries: entriesOf(['queue/main.ts']), whole: true },
];

function entriesOf(files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.replace(/\.ts$/, ''), `src/${file}`]));
}
