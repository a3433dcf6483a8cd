/**
 * Guests are emulated, and a busy host can stop one for seconds. What has failed beside another guest gets one more try
 * alone on the machine, and that result counts. The output says so, so that nobody takes it for a clean run.
 */
import { pool } from '../harness/pool.ts';
import type { Result } from '../selftests/result.ts';
import { selftests, type SuiteOptions } from '../selftests/suite-tasks.ts';
import { perGuest, type TestGuest } from './guests.ts';
import type { Tally } from '../harness/tally.ts';

type Say = (text: string) => void;

/** Runs the files of `counted` in which something failed once more. Their new counts replace the old ones. */
export async function tryFilesAgain(
  counted: Map<string, Tally>,
  task: (guest: TestGuest) => () => Promise<Map<string, Tally>>,
  say: Say,
): Promise<void> {
  const failed = [...counted].filter(([, tally]) => tally.failed > 0 || tally.passed === 0).map(([file]) => file);
  for (const guest of perGuest(failed)) {
    say(`${guest.files.join(', ')}: failed, and once more, alone`);
    for (const [file, tally] of await task(guest)()) counted.set(file, tally);
  }
}

/** `first`: the options of the first try. */
export async function trySelftestsAgain(results: readonly Result[], first: SuiteOptions, say: Say): Promise<Result[]> {
  const again = new Map<Result, readonly Result[]>();
  for (const result of results.filter(({ program, outcome }) => program === 'ublkts' && outcome === 'fail')) {
    say(`${result.test} has failed: once more, alone`);
    const suite = await selftests({ ...first, ...theSame(result) });
    again.set(result, (await pool(suite.tasks, 1)).flat());
  }
  return results.flatMap((result) => {
    const later = again.get(result) ?? [];
    return later.length > 0 ? later : [result];
  });
}

function theSame({ test, lostPart }: Result): Partial<SuiteOptions> {
  if (lostPart !== undefined) return { only: lostPart };
  return { shares: 1, groups: ['ordinary', 'long'], patterns: [`test_${test}.sh`] };
}
