import { globSync } from 'node:fs';
import { matches } from '../harness/matches.ts';
import { ROOT } from '../harness/root.ts';

const IN_THE_LAB = 'test/kernel/';
/** Its tests need more packages than the ordinary image has: `npm run test:ceph`. */
const ON_CEPH = 'test/ceph/';

export interface TestFiles {
  /** They run on this machine. */
  readonly unit: readonly string[];
  /** They need a kernel with ublk. */
  readonly kernel: readonly string[];
}

/** The test files whose path has one of the patterns in it, or all of them when there are no patterns. */
export function findTestFiles(patterns: readonly string[]): TestFiles {
  const all = globSync('test/**/*.test.ts', { cwd: ROOT });
  const files = all.filter((file) => !file.startsWith(ON_CEPH) && matches(file, patterns)).sort();
  return {
    unit: files.filter((file) => !file.startsWith(IN_THE_LAB)),
    kernel: files.filter((file) => file.startsWith(IN_THE_LAB)),
  };
}
