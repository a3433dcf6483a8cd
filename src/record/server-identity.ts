/**
 * Which process is a device's server. A process id alone does not say: ids are used again, and a process that has ended
 * keeps its id until its parent collects it. A process id with its start time names one process until the next boot.
 */
import { isServing, type ProcessState, readProcess } from './process-state.ts';

export interface ServerIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process's start (process-state.ts); null where it was not recorded. */
  readonly startTime: number | null;
}

interface Servers {
  readonly server: ServerIdentity | null;
  readonly previous: ServerIdentity | null;
}

export function thisProcess(): ServerIdentity {
  return { pid: process.pid, startTime: readProcess(process.pid).startTime };
}

/** The server that the kernel names by `pid`, with the start time where the device's record has it. */
export function serverOf(pid: number, record: Servers | null): ServerIdentity {
  const known = [record?.server, record?.previous].find((server) => server?.pid === pid);
  return known ?? { pid, startTime: null };
}

/** The state of this very process; `gone` when another one has its id now. */
export function serverState({ pid, startTime }: ServerIdentity): ProcessState {
  const facts = readProcess(pid);
  const isAnother = startTime !== null && !Number.isNaN(facts.startTime) && facts.startTime !== startTime;
  return isAnother ? 'gone' : facts.state;
}

/** A zombie is not alive. */
export function isServerAlive(server: ServerIdentity | null): boolean {
  return server !== null && isServing(serverState(server));
}

/** Tells whether a process runs about which only the id is known. */
export function isRunning(pid: number): boolean {
  return isServerAlive({ pid, startTime: null });
}
