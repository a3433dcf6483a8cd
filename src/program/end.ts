/** Ends the processes of a program, also those that they start while they are asked to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Identity, isThere } from './identity.ts';
import { askToEnd, type Found, findProcesses, isEmpty, type Search, send } from './processes.ts';

/** How often those that were found are looked at, and how often others are looked for. */
const LOOK_MS = 20;
const SEARCH_MS = 500;

export interface Patience {
  /** How long each may take to end before it is killed, or to be read. */
  readonly endsMs: number;
  /** How long it may take to die after that. */
  readonly diesMs: number;
}

/**
 * Asks all of them to end, except those for which `isAsked` says that they were asked, and kills each that stays. Resolves
 * to those that do not die, and those whose environment cannot be read.
 */
export async function endProcesses(
  search: Search,
  { endsMs, diesMs }: Patience,
  isAsked: (pid: number) => boolean = () => false,
): Promise<Found> {
  const asked = new Map<string, number>();
  const unknown = new Map<string, number>();
  return untilGone(search, ({ ours, unread, unlisted }) => {
    for (const one of ours) {
      const isNew = !asked.has(keyOf(one));
      if (sinceFirst(asked, keyOf(one)) > endsMs) send(one.pid, 'SIGKILL');
      else if (isNew && !isAsked(one.pid)) askToEnd(one.pid);
    }
    const unknowns = [...unread.map(keyOf), ...(unlisted === null ? [] : ['others'])];
    return (
      ours.every((one) => sinceFirst(asked, keyOf(one)) <= endsMs + diesMs) &&
      unknowns.every((key) => sinceFirst(unknown, key) <= endsMs)
    );
  });
}

/** Milliseconds since this was first called for the key. */
function sinceFirst(first: Map<string, number>, key: string): number {
  const now = performance.now();
  const begun = first.get(key) ?? now;
  first.set(key, begun);
  return now - begun;
}

function keyOf({ pid, startTime }: Identity): string {
  return `${pid} ${startTime}`;
}

/** Waits for them to end by themselves. Resolves to those that are there after this time. `onWaiting` is told the first ones. */
export async function endByThemselves(
  search: Search,
  patienceMs: number,
  onWaiting: (there: Found) => void = () => {},
): Promise<Found> {
  const begun = performance.now();
  let isTold = false;
  return untilGone(search, (there) => {
    if (!isTold) onWaiting(there);
    isTold = true;
    return performance.now() - begun <= patienceMs;
  });
}

/** Calls `look` with those that are there, again and again, until none is or `look` returns false. Resolves to the rest. */
async function untilGone({ group, ...search }: Search, look: (there: Found) => boolean): Promise<Found> {
  let groupLeft = group;
  for (;;) {
    // When no process of the group is left, the next group with its id is another one.
    if (groupLeft !== null && !send(-groupLeft, 0)) groupLeft = null;
    let there = await findProcesses({ ...search, group: groupLeft });
    const searched = performance.now();
    if (isEmpty(there)) return there;
    while (!isEmpty(there) && performance.now() - searched < SEARCH_MS) {
      if (!look(there)) return there;
      await sleep(LOOK_MS);
      there = { ...there, ours: there.ours.filter(isThere), unread: there.unread.filter(isThere) };
    }
  }
}

/** A clause that names one of the processes that are left. */
export function describeLeft({ ours: [ours], unread: [unread], unlisted }: Found): string {
  if (ours !== undefined) return `process ${ours.pid} does not end`;
  return unread === undefined
    ? `a process may be left, because processes cannot be listed: ${unlisted}`
    : `process ${unread.pid} may be one, and cannot be looked at: its environment could not be read, like that of a process that is stuck in the kernel`;
}
