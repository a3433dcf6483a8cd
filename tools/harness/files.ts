import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's directory. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const IN_THE_LAB = 'test/kernel/';

export interface TestFiles {
  /** Run where they are. */
  readonly unit: readonly string[];
  /** Want a kernel with ublk. */
  readonly kernel: readonly string[];
}

/** The test files whose path has one of the patterns in it; all when there is none. */
export function findTestFiles(patterns: readonly string[]): TestFiles {
  const all = globSync('test/**/*.test.ts', { cwd: ROOT });
  const files = all.filter((file) => matches(file, patterns)).sort();
  return {
    unit: files.filter((file) => !file.startsWith(IN_THE_LAB)),
    kernel: files.filter((file) => file.startsWith(IN_THE_LAB)),
  };
}

export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern));
}
