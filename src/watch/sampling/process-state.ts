/**
 * What a process is doing, out of /proc/PID/stat (proc_pid_stat(5)). The kernel takes no lock for that file which a
 * process that is stuck could hold, unlike for /proc/PID/cmdline or maps.
 */
import { readFileSync } from 'node:fs';

/** `stopped`: by a signal or a debugger; `zombie`: it has ended but is still listed. */
export type ProcessState = 'running' | 'stopped' | 'zombie' | 'gone';

export function processState(pid: number): ProcessState {
  if (pid <= 0) return 'gone';
  try {
    return stateIn(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return 'gone';
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

/** The state is the field behind the process's name, which stands in parentheses and may hold any character. */
function stateIn(stat: string): ProcessState {
  return STATES[stat.charAt(stat.lastIndexOf(')') + 2)] ?? 'running';
}
