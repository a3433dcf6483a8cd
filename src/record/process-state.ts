/**
 * Reads what a process is doing and when it started, from /proc/PID/stat (proc_pid_stat(5)). The kernel takes no lock
 * for that file which a process that is stuck could hold, unlike for /proc/PID/cmdline or maps. Of a process that is asleep, the
 * files of its control group are read too (frozen.ts).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { isFrozen } from './frozen.ts';
import { addedTicks } from './time-namespace.ts';

/**
 * `stopped`: by a signal or a debugger; `frozen`: with its control group; `zombie`: it has ended but is still listed.
 */
export type ProcessState = 'running' | 'stopped' | 'frozen' | 'zombie' | 'gone';

export interface ProcessFacts {
  readonly state: ProcessState;
  /** Whether it has begun to end, as after SIGKILL (PF_EXITING of include/linux/sched.h). */
  readonly exiting: boolean;
  /** Whether its first thread waits for something else than a disk. */
  readonly isAsleep: boolean;
  /** Its name, of at most 15 bytes. */
  readonly command: string;
  /** The id of its process group; NaN where it could not be read. */
  readonly group: number;
  /** Processor time that it has used, in clock ticks. */
  readonly ticks: number;
  /** Clock ticks from boot to the start of the process, the same number in every time namespace; NaN where it could not be read. */
  readonly startTime: number;
}

/** Processes and threads that are in the kernel's do_exit. */
const PF_EXITING = 0x4;
const GONE: ProcessFacts = {
  state: 'gone',
  exiting: true,
  isAsleep: false,
  command: '?',
  group: Number.NaN,
  ticks: 0,
  startTime: Number.NaN,
};
/** A process that is there and cannot be read about, for example because this process has no descriptor left. */
const UNREADABLE: ProcessFacts = { ...GONE, state: 'running', exiting: false };
/** The errors of reading about a process that has ended (proc_pid_stat(5)). */
const NOT_LISTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH']);

export function processState(pid: number): ProcessState {
  return stateOf(pid, readProcess(pid));
}

/** The facts do not say whether the process is frozen: that takes two more files. */
export function stateOf(pid: number, { state, isAsleep }: ProcessFacts): ProcessState {
  return state === 'running' && isAsleep && isFrozen(pid) ? 'frozen' : state;
}

export function readProcess(pid: number): ProcessFacts {
  if (pid <= 0) return GONE;
  if (!isProcOurs()) return isThere(pid) ? UNREADABLE : GONE;
  try {
    return readStat(pid);
  } catch (error) {
    const isUnlisted = NOT_LISTED.has((error as NodeJS.ErrnoException).code ?? '');
    // /proc mounted with hidepid shows no processes of other users.
    return (isUnlisted ? probe(pid) === 'of another user' : isThere(pid)) ? UNREADABLE : GONE;
  }
}

/** The facts of this process itself, also where /proc numbers processes as another pid namespace does. */
export function readOwnProcess(): ProcessFacts {
  return readStat('self');
}

function readStat(process: number | 'self'): ProcessFacts {
  const facts = parseStat(readFileSync(`/proc/${process}/stat`, 'latin1'));
  return { ...facts, startTime: facts.startTime - addedTicks() };
}

/** The pid namespace of this process, as the kernel names it; null where it has none. */
export function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

/** The numbers of a process in each pid namespace that it is in, from that of /proc inwards; none when it is gone. */
export function numbersOf(pid: number): number[] {
  try {
    const line = /^NSpid:\s+(.+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return (line ?? '').split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

/** A zombie's threads serve nothing. */
export function isServing(state: ProcessState): boolean {
  return state !== 'zombie' && state !== 'gone';
}

const STATES: Readonly<Record<string, ProcessState>> = {
  T: 'stopped',
  t: 'stopped',
  Z: 'zombie',
  X: 'gone',
};

/**
 * The second field is the process's name, which stands in parentheses and may hold any character; fields count from 1. The start is
 * that of the time namespace of this process.
 */
export function parseStat(stat: string): ProcessFacts {
  const end = stat.lastIndexOf(')');
  const [state = '', ...fromFourth] = stat.slice(end + 2).split(' ');
  return {
    state: STATES[state] ?? 'running',
    exiting: (Number(fromFourth[9 - 4]) & PF_EXITING) !== 0,
    isAsleep: state === 'S',
    command: stat.slice(stat.indexOf('(') + 1, end),
    group: Number(fromFourth[5 - 4]),
    ticks: Number(fromFourth[14 - 4]) + Number(fromFourth[15 - 4]),
    startTime: Number(fromFourth[22 - 4]),
  };
}

/** False in a pid namespace whose /proc was mounted outside: its numbers are those of other processes. */
export function isProcOurs(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return false;
  }
}

function isThere(pid: number): boolean {
  return probe(pid) !== 'gone';
}

/** Asks without /proc, with a signal that does nothing. */
function probe(pid: number): 'there' | 'of another user' | 'gone' {
  try {
    process.kill(pid, 0);
    return 'there';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'of another user' : 'gone';
  }
}
