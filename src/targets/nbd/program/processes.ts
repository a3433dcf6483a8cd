/**
 * The processes of a program: those of its process group, and those that have left the group and still have its mark in
 * their environment, such as a daemon in a session of its own. All of them may have the image open.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isProcOurs, isServing, readProcess } from '../../../record/process-state.ts';

/** The variable that marks them. It holds the path of the program's socket, which no other program has. */
const MARK = 'UBLKTS_NBD_SOCKET';
const LOOK_MS = 20;

export function markOf(socket: string): NodeJS.ProcessEnv {
  return { [MARK]: socket };
}

/** Their ids. `group`: the id of the process group; null when that id may be another group's by now. */
export function findProcesses(group: number | null, socket: string): number[] {
  if (!isProcOurs()) return [];
  const mark = `${MARK}=${socket}`;
  const groupLives = group !== null && send(-group, 0);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => hasMark(pid, mark) || (groupLives && readProcess(pid).group === group))
    .filter((pid) => isServing(readProcess(pid).state));
}

/** Asks a process to end, or with a negative number a process group. One that a signal has stopped is continued to do so. */
export function askToEnd(pid: number): void {
  send(pid, 'SIGTERM');
  send(pid, 'SIGCONT');
}

/** Sends nothing to what is gone, and returns false then. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export interface Patience {
  /** How long they may take to end before they are killed. */
  readonly endsMs: number;
  /** How long they may take to die after that. */
  readonly diesMs: number;
}

/** Asks all that `find` finds to end, but for those that are `asked` already, and kills those that stay. Resolves to those that do not die. */
export async function endProcesses(
  find: () => number[],
  { endsMs, diesMs }: Patience,
  isAsked: (pid: number) => boolean = () => false,
): Promise<number[]> {
  const asked = new Set<number>();
  const begun = performance.now();
  for (;;) {
    const there = find();
    const waited = performance.now() - begun;
    if (there.length === 0 || waited > endsMs + diesMs) return there;
    for (const pid of there) {
      if (waited > endsMs) send(pid, 'SIGKILL');
      else if (!asked.has(pid) && !isAsked(pid)) askToEnd(pid);
      asked.add(pid);
    }
    await sleep(LOOK_MS);
  }
}

/** Whether none is left within this time. */
export async function endByThemselves(find: () => number[], patienceMs: number): Promise<boolean> {
  for (const begun = performance.now(); find().length > 0; await sleep(LOOK_MS)) {
    if (performance.now() - begun > patienceMs) return false;
  }
  return true;
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false;
  }
}
