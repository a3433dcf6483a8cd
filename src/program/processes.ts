/**
 * The processes of a program: those of its process group, and those that have left the group and still have its mark in
 * their environment, such as a daemon in a session of its own. All of them may have the image open.
 */
import { readdirSync } from 'node:fs';
import { isProcOurs, isServing, readProcess } from '../record/process-state.ts';
import { type Identity, isThere } from './identity.ts';
import { markedAmong } from './mark.ts';

/** How the processes of a program are recognised. */
export interface Search {
  /** The id of the process group; null when that id may be another group's by now. */
  readonly group: number | null;
  /** When the program was started, in clock ticks from boot: nothing that is older was started by it. */
  readonly since: number;
  /** The program's folder. */
  readonly folder: string;
}

export interface Found {
  readonly ours: readonly Identity[];
  /** Those that may be the program's: their environment could not be read. */
  readonly unread: readonly Identity[];
}

export async function findProcesses({ group, since, folder }: Search): Promise<Found> {
  if (!isProcOurs()) return { ours: [], unread: [] };
  const groupLives = group !== null && send(-group, 0);
  const grouped: Identity[] = [];
  const others: Identity[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    const { state, startTime, group: itsGroup } = readProcess(pid);
    if (!isServing(state) || startTime < since) continue;
    (groupLives && itsGroup === group ? grouped : others).push({ pid, startTime });
  }
  const { marked, unread } = await markedAmong(
    others.map(({ pid }) => pid),
    folder,
  );
  // While the environments were read, a process may have ended, and another one may have its number.
  return {
    ours: [...grouped, ...others.filter(({ pid }) => marked.has(pid))].filter(isThere),
    unread: others.filter(({ pid }) => unread.has(pid)).filter(isThere),
  };
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
