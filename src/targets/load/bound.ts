/** Bounds the wait for the code of a target in a file, whose promises may never settle. */
import { bounded } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';

/** How long `setup` and `open` of a target have, and each thread to load its file. */
export const ANSWER_SECONDS = 60;

/** Settles as `answer` does, or rejects when that has taken too long. `what`: one of the target's functions. */
export function withinBound<T>(answer: Promise<T>, what: 'setup' | 'open', file: string): Promise<T> {
  const late = () => silentError(what, file);
  return bounded(answer, { timeoutMs: ANSWER_SECONDS * 1000, signal: undefined, late });
}

export function silentError(what: 'setup' | 'open', file: string): UblkError {
  return new UblkError(`\`${what}\` of target ${file} has not answered within ${ANSWER_SECONDS} s`, {
    code: 'TIMEOUT',
    command: what,
    hint: `let \`${what}\` throw when what it waits for does not come in time`,
  });
}
