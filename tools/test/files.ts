import { globSync } from 'node:fs';
import { matches } from '../harness/matches.ts';
import { ROOT } from '../harness/root.ts';

const IN_THE_LAB = ['test/kernel/', 'test/ceph/'];

export interface TestFiles {
  /** They run on this machine. */
  readonly unit: readonly string[];
  /** They need a kernel with ublk. */
  readonly kernel: readonly string[];
}

/** The test files whose path has one of the patterns in it, or all of them when there are no patterns. */
export function findTestFiles(patterns: readonly string[]): TestFiles {
  const all = globSync('test/**/*.test.ts', { cwd: ROOT });
  const files = all.filter((file) => matches(file, patterns)).sort();
  return {
    unit: files.filter((file) => !isInLab(file)),
    kernel: files.filter(isInLab),
  };
}

function isInLab(file: string): boolean {
  return IN_THE_LAB.some((folder) => file.startsWith(folder));
}
