/** Ends the processes of a program, also those that they start while they are asked to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Identity, isThere } from './identity.ts';
import { askToEnd, type Found, findProcesses, type Search, send } from './processes.ts';

/** How often those that were found are looked at, and how often others are looked for. */
const LOOK_MS = 20;
const SEARCH_MS = 500;

export interface Patience {
  /** How long each may take to end before it is killed. */
  readonly endsMs: number;
  /** How long it may take to die after that, or to be read. */
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
  return untilGone(search, ({ ours, unread }) => {
    for (const one of ours) {
      const isNew = !asked.has(keyOf(one));
      if (sinceFirst(asked, one) > endsMs) send(one.pid, 'SIGKILL');
      else if (isNew && !isAsked(one.pid)) askToEnd(one.pid);
    }
    const most = endsMs + diesMs;
    return (
      ours.every((one) => sinceFirst(asked, one) <= most) && unread.every((one) => sinceFirst(unknown, one) <= most)
    );
  });
}

/** Milliseconds since this was first called for the process. */
function sinceFirst(first: Map<string, number>, one: Identity): number {
  const key = keyOf(one);
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
async function untilGone(search: Search, look: (there: Found) => boolean): Promise<Found> {
  for (;;) {
    let there = await findProcesses(search);
    const searched = performance.now();
    if (isEmpty(there)) return there;
    while (!isEmpty(there) && performance.now() - searched < SEARCH_MS) {
      if (!look(there)) return there;
      await sleep(LOOK_MS);
      there = { ours: there.ours.filter(isThere), unread: there.unread.filter(isThere) };
    }
  }
}

export function isEmpty({ ours, unread }: Found): boolean {
  return ours.length === 0 && unread.length === 0;
}

/** One of those that are left, as a clause. */
export function describeLeft({ ours: [ours], unread: [unread] }: Found): string {
  return ours === undefined
    ? `process ${unread?.pid} may be one, and cannot be looked at, because it is stuck in the kernel`
    : `process ${ours.pid} does not end`;
}
