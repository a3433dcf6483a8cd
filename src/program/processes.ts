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
  /** Processes that may be the program's: their environment could not be read. */
  readonly unread: readonly Identity[];
  /** Why there may be more: the processes of the system could not be listed, for example without a descriptor. */
  readonly unlisted: string | null;
}

const NOBODY: Found = { ours: [], unread: [], unlisted: null };

export function isEmpty({ ours, unread, unlisted }: Found): boolean {
  return ours.length === 0 && unread.length === 0 && unlisted === null;
}

/** How often it is looked again when nobody was found and others have ended meanwhile. */
const MOST_LOOKS = 5;

export async function findProcesses(search: Search): Promise<Found> {
  if (!isProcOurs()) return NOBODY;
  let endedBefore: ReadonlySet<number> = new Set();
  for (let looks = 1; ; looks++) {
    const { ended, ...found } = await look(search);
    // One that has ended while the others were looked at may have started another one, which was not listed yet.
    if (!isEmpty(found) || looks === MOST_LOOKS || [...ended].every((pid) => endedBefore.has(pid))) return found;
    endedBefore = ended;
  }
}

interface Look extends Found {
  /** The ids of processes that were listed and have ended, the zombies among them. */
  readonly ended: ReadonlySet<number>;
}

async function look({ group, since, folder }: Search): Promise<Look> {
  const ended = new Set<number>();
  const grouped: Identity[] = [];
  const others: Identity[] = [];
  let pids: number[];
  try {
    pids = listProcesses();
  } catch (error) {
    return { ...NOBODY, unlisted: (error as Error).message, ended };
  }
  for (const pid of pids) {
    const { state, startTime, group: itsGroup } = readProcess(pid);
    if (!isServing(state)) ended.add(pid);
    else if (!(startTime < since)) (itsGroup === group ? grouped : others).push({ pid, startTime });
  }
  const { marked, unread } = await markedAmong(
    others.map(({ pid }) => pid),
    folder,
  );
  // While the environments were read, a process may have ended, and another one may have its number.
  const isLeft = (one: Identity): boolean => {
    const isNow = isThere(one);
    if (!isNow) ended.add(one.pid);
    return isNow;
  };
  const left = [...grouped, ...others].filter(isLeft);
  return {
    ours: left.filter((one) => grouped.includes(one) || marked.has(one.pid)),
    unread: left.filter(({ pid }) => unread.has(pid)),
    unlisted: null,
    ended,
  };
}

function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
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
