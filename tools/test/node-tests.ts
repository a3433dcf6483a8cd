/** Makes command lines of `node --test`, for the host or a guest, and reads their counts. */
import { readFile } from 'node:fs/promises';
import { ONE_FAILED, type Tally } from '../harness/tally.ts';

export interface NodeTests {
  /** Relative to the project. */
  readonly files: readonly string[];
  /** Where the counts of each file are written. */
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

interface FileCounts {
  /** The path of the file, on the machine on which it ran. */
  readonly file: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** Reads the counts of each of `files`. A file that did not get as far as its counts is one failure. */
export async function readCounts(countsFile: string, files: readonly string[]): Promise<Map<string, Tally>> {
  const text = await readFile(countsFile, 'utf8').catch(() => '');
  const counted: FileCounts[] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return new Map(
    files.map((name) => {
      const found = counted.find(({ file }) => file.endsWith(`/${name}`));
      return [name, found === undefined ? ONE_FAILED : tallyOf(found.counts)];
    }),
  );
}

function tallyOf({ passed = 0, failed = 0, cancelled = 0, skipped = 0, todo = 0 }: FileCounts['counts']): Tally {
  return { passed, failed: failed + cancelled, skipped: skipped + todo };
}
