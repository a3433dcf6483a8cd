/** Bounds the wait for the code of a target in a file, whose promises may never settle. */
import { bounded } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';

/** How long `setup` and `open` of a target have, and a command and each thread to load its file. */
export const START_SECONDS = 60;

/** Settles as `answer` does, or rejects when that has taken too long. `what`: one of the target's functions. */
export function withinBound<T>(answer: Promise<T>, what: 'setup' | 'open', file: string): Promise<T> {
  return inTime(answer, () => silentError(what, file));
}

/** Bounds the import of the target's file in the same way. */
export function loadedWithinBound<T>(loading: Promise<T>, file: string): Promise<T> {
  return inTime(loading, () => unloadedError(file));
}

function inTime<T>(answer: Promise<T>, late: () => UblkError): Promise<T> {
  return bounded(answer, { timeoutMs: START_SECONDS * 1000, signal: undefined, late });
}

export function silentError(what: 'setup' | 'open', file: string): UblkError {
  return new UblkError(`\`${what}\` of target ${file} has not answered within ${START_SECONDS} s`, {
    code: 'TIMEOUT',
    command: what,
    hint: `let \`${what}\` throw when what it waits for does not come in time`,
  });
}

function unloadedError(file: string): UblkError {
  return new UblkError(`target ${file} has not been loaded within ${START_SECONDS} s: its top level awaits something`, {
    code: 'TIMEOUT',
    hint: 'wait in `setup` or `open`, and let them throw when what they wait for does not come in time',
  });
}
