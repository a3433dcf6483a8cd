/** Processes that are there and do not run, in words: what has paused them, and what lets them go on. */
import type { ProcessState } from './process-state.ts';

export type PausedState = 'stopped' | 'frozen';

export function isPaused(state: ProcessState | null): state is PausedState {
  return state === 'stopped' || state === 'frozen';
}

/** Returns the predicate of a sentence about the process, as in "the server (pid 7) is stopped (state T)". */
export function describePause(state: PausedState): string {
  return state === 'stopped' ? 'is stopped (state T)' : 'is frozen with its control group';
}

/** The hint about the process; `purpose` says what it goes on for. */
export function describeThaw(pid: number, state: PausedState, purpose = 'go on'): string {
  return state === 'stopped'
    ? `\`kill -CONT ${pid}\` lets it ${purpose}`
    : `\`cat /proc/${pid}/cgroup\` names the group: \`docker unpause\`, \`systemctl thaw\`, or a 0 in the cgroup.freeze of the group or of one above it lets it ${purpose}`;
}
