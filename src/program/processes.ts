/**
 * The processes of a program: those of its process group, and those that have left the group and still have its mark in
 * their environment, such as a daemon in a session of its own. All of them may have the image open.
 */
import { readdirSync } from 'node:fs';
import { isProcOurs, isServing, readProcess } from '../record/process-state.ts';
import { markedAmong } from './mark.ts';

export interface Family {
  /** The id of the process group; null when that id may be another group's by now. */
  readonly group: number | null;
  /** When the program was started, in clock ticks from boot: nothing that is older was started by it. */
  readonly since: number;
  /** The program's folder. */
  readonly folder: string;
}

/** Their ids. */
export async function findProcesses({ group, since, folder }: Family): Promise<number[]> {
  if (!isProcOurs()) return [];
  const groupLives = group !== null && send(-group, 0);
  const grouped: number[] = [];
  const others: number[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const facts = readProcess(Number(name));
    if (!isServing(facts.state) || facts.startTime < since) continue;
    (groupLives && facts.group === group ? grouped : others).push(Number(name));
  }
  return [...grouped, ...(await markedAmong(others, folder))];
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
