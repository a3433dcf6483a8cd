/**
 * The calls on backing files that were given up and have not returned, by place: a file, or a mount with all of its files.
 * Until they have, further calls for the same place are refused, so that they take no more threads or processes.
 */
import { UblkError } from '../errors.ts';

export interface HungCall {
  readonly command: string;
  /** The name of the file. */
  readonly name: string;
  /** `for 30 s`, or `yet` when the wait was given up before its time was over. */
  readonly waited: string;
}

const hanging = new Map<string, Set<HungCall>>();

/** Returns the call that hangs at this place, or the one that was given up first of several. */
export function hungAt(place: string): HungCall | undefined {
  const [first] = hanging.get(place) ?? [];
  return first;
}

/**
 * Keeps the call among those that hang until `answer` has settled. It resolves to null when the process that made the call
 * was killed. That says nothing about the file system, so the place is refused for `more` milliseconds after that.
 */
export function hangs(place: string, call: HungCall, answer: Promise<unknown>, more: number): void {
  const calls = hanging.get(place) ?? new Set();
  hanging.set(place, calls.add(call));
  const forget = (): void => {
    calls.delete(call);
    if (calls.size === 0) hanging.delete(place);
  };
  answer.then((result) => void setTimeout(forget, result === null ? more : 0).unref(), forget);
}

/** The error of a call on the file `name` that is given up or refused because of `hung`. */
export function lateError(name: string, hung: HungCall): UblkError {
  const what = hung.name === name ? hung.command : `${hung.command} of ${hung.name}`;
  return new UblkError(`cannot use backing file ${name}: ${what} has not answered ${hung.waited}`, {
    code: 'TIMEOUT',
    kind: 'busy',
    command: hung.command,
    hint: 'its disk or file system hangs or is frozen, or another program is reading its partitions: see `dmesg`, and try again',
  });
}
