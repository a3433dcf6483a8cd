/** The outcome of a command for several devices: it may succeed for some and fail for others, and both are reported. */
import type { UblkError } from '../../errors.ts';
import { exitCodeOf, EXIT_SOME } from './exit-codes.ts';

export interface Outcome {
  readonly done: readonly number[];
  readonly failed: readonly UblkError[];
}

export function exitCodeOfOutcome({ done, failed }: Outcome): number {
  const [first] = failed;
  if (first === undefined) return 0;
  if (done.length > 0) return EXIT_SOME;
  return failed.every(({ kind }) => kind === first.kind) ? exitCodeOf(first) : 1;
}
