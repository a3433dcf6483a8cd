/** Ends the processes of a program. What one of them has started meanwhile is found when those that were known have ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isServing, readProcess } from '../record/process-state.ts';
import { askToEnd, type Family, findProcesses, send } from './processes.ts';

const LOOK_MS = 20;

export interface Patience {
  /** How long they may take to end before they are killed. */
  readonly endsMs: number;
  /** How long they may take to die after that. */
  readonly diesMs: number;
}

/** Asks all of them to end, but for those that are `asked` already, and kills those that stay. Resolves to those that do not die. */
export async function endProcesses(
  family: Family,
  { endsMs, diesMs }: Patience,
  isAsked: (pid: number) => boolean = () => false,
): Promise<number[]> {
  const asked = new Set<number>();
  const begun = performance.now();
  return watched(family, (there) => {
    const waited = performance.now() - begun;
    if (waited > endsMs + diesMs) return false;
    for (const pid of there) {
      if (waited > endsMs) send(pid, 'SIGKILL');
      else if (!asked.has(pid) && !isAsked(pid)) askToEnd(pid);
      asked.add(pid);
    }
    return true;
  });
}

/** Waits for them to end by themselves. Resolves to those that are there after this time. */
export async function endByThemselves(family: Family, patienceMs: number): Promise<number[]> {
  const begun = performance.now();
  return watched(family, () => performance.now() - begun <= patienceMs);
}

/** Shows `look` those that are there, now and then, until there is none or it returns false. Resolves to those that are there. */
async function watched(family: Family, look: (there: readonly number[]) => boolean): Promise<number[]> {
  for (;;) {
    let there = known(await findProcesses(family));
    if (there.length === 0) return [];
    while (there.length > 0) {
      if (!look(there.map(({ pid }) => pid))) return there.map(({ pid }) => pid);
      await sleep(LOOK_MS);
      there = there.filter(isThere);
    }
  }
}

interface Known {
  readonly pid: number;
  readonly startTime: number;
}

function known(pids: readonly number[]): Known[] {
  return pids.map((pid) => ({ pid, startTime: readProcess(pid).startTime }));
}

function isThere({ pid, startTime }: Known): boolean {
  const facts = readProcess(pid);
  return isServing(facts.state) && facts.startTime === startTime;
}
