/** `node --test`, on the host or as a command of a guest. */
import { readFile } from 'node:fs/promises';
import { NOTHING, ONE_FAILED, type Tally } from '../harness/tally.ts';

export interface NodeTests {
  /** Relative to the project. */
  readonly files: readonly string[];
  /** Gets the counts. */
  readonly countsFile: string;
  /** Files at the same time. */
  readonly concurrency: number;
  /** For one test. */
  readonly timeoutSeconds: number;
}

/** The arguments of Node, whose working directory is the project. */
export function nodeTestArguments({ files, countsFile, concurrency, timeoutSeconds }: NodeTests): string[] {
  return [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutSeconds * 1000}`,
    '--test-reporter=./tools/test/reporter.ts',
    '--test-reporter-destination=stdout',
    '--test-reporter=./tools/test/counts-reporter.ts',
    `--test-reporter-destination=${countsFile}`,
    ...files,
  ];
}

/** A run that never got as far as counting is one failure. */
export async function readCounts(countsFile: string): Promise<Tally> {
  const text = await readFile(countsFile, 'utf8').catch(() => '');
  if (text === '') return ONE_FAILED;
  const { passed, failed, cancelled, skipped, todo }: Record<string, number> = JSON.parse(text);
  return {
    ...NOTHING,
    passed: passed ?? 0,
    failed: (failed ?? 0) + (cancelled ?? 0),
    skipped: (skipped ?? 0) + (todo ?? 0),
  };
}
