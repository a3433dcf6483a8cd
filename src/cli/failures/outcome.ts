/** The outcome of a command for several devices: it may succeed for some and fail for others, and both are reported. */
import { UblkError } from '../../errors.ts';
import { exitCodeOf, EXIT_SOME, INTERRUPTED } from './exit-codes.ts';

export interface Outcome {
  readonly done: readonly number[];
  readonly failed: readonly UblkError[];
}

/**
 * Acts on each device. A failure of one device does not end it, but one that would meet every device does: no driver, no
 * permission, Ctrl-C.
 */
export async function oneByOne(ids: readonly number[], act: (id: number) => Promise<void>): Promise<Outcome> {
  const done: number[] = [];
  const failed: UblkError[] = [];
  for (const id of ids) {
    try {
      await act(id);
      done.push(id);
    } catch (error) {
      if (!(error instanceof UblkError) || error.code === INTERRUPTED) throw error;
      if (error.device === undefined && done.length === 0) throw error;
      failed.push(error);
    }
  }
  return { done, failed };
}

/** There was no device to act on. */
export function isEmpty({ done, failed }: Outcome): boolean {
  return done.length === 0 && failed.length === 0;
}

export function exitCodeOfOutcome({ done, failed }: Outcome): number {
  const [first] = failed;
  if (first === undefined) return 0;
  if (done.length > 0) return EXIT_SOME;
  return failed.every(({ kind }) => kind === first.kind) ? exitCodeOf(first) : 1;
}
