/** Makes command lines of `node --test`, for the host or a guest, and reads their counts. */
import { readFile } from 'node:fs/promises';
import { NOTHING, ONE_FAILED, type Tally } from '../harness/tally.ts';

export interface NodeTests {
  /** Relative to the project. */
  readonly files: readonly string[];
  /** Where the counts are written. */
  readonly countsFile: string;
  /** How many files run at the same time. */
  readonly concurrency: number;
  /** The limit for one test. */
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

/** Reads the counts. A run that ended before it counted is one failure. */
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
