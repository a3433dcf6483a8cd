/** The kernel's selftests as tasks for a pool of guests. */
import type { OrderedOutput } from '../harness/ordered-output.ts';
import { matches } from '../harness/matches.ts';
import { DEADLINES } from './deadlines.ts';
import { runShare, type Share } from './host.ts';
import { addToReference, readReference } from './reference.ts';
import { summaryText } from './report.ts';
import type { Part, Result } from './result.ts';

export interface SuiteOptions extends Pick<Share, 'groups' | 'patterns' | 'signal'> {
  readonly shares: number;
  /** Only this one of its parts. */
  readonly only?: Part;
  /** Also run kublk where its results are not known. That takes as long again, once per image. */
  readonly measureReference: boolean;
  readonly output: OrderedOutput;
}

export interface Suite {
  readonly tasks: readonly (() => Promise<Result[]>)[];
  /** Takes what all tasks returned, and gives their text and the results of ublkts. */
  readonly finish: (results: readonly Result[]) => Promise<{ readonly text: string; readonly ours: readonly Result[] }>;
}

export async function selftests({ shares, only, measureReference, output, ...rest }: SuiteOptions): Promise<Suite> {
  const reference = await readReference();
  const programs = measureReference ? (['kublk', 'ublkts'] as const) : (['ublkts'] as const);
  const parts: Part[] = Array.from({ length: shares }, (_none, share) => ({ share, shares }));
  if (rest.groups.includes('ordinary') && DEADLINES.some((test) => matches(`test_${test}.sh`, rest.patterns))) {
    parts.push('deadlines');
  }
  const tasks = (only === undefined ? parts : [only]).map((part) => {
    const job = output.job();
    return () => runShare({ ...rest, part, programs, reference, output: job });
  });
  return { tasks, finish };
}

async function finish(results: readonly Result[]): Promise<{ text: string; ours: readonly Result[] }> {
  const ours = results.filter(({ program }) => program === 'ublkts');
  await addToReference(results.filter(({ program }) => program === 'kublk'));
  const reference = await readReference();
  const beside = ours.flatMap(({ test }) => reference.get(test) ?? []);
  return { text: summaryText(ours, beside), ours };
}
