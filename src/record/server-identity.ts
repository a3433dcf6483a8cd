/**
 * Which process is a device's server. A process id alone does not say: ids are used again, a process that has ended
 * keeps its id until its parent collects it, and each pid namespace has ids of its own. A process id with its start time
 * names one process of a pid namespace until the next boot; from other namespaces the process has another id, or none.
 */
import {
  isServing,
  numbersOf,
  pidNamespace,
  type ProcessState,
  readOwnProcess,
  readProcess,
  stateOf,
} from './process-state.ts';
import { isServerLockHeld } from './server-lock.ts';

export interface ServerIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process's start (process-state.ts); null where it was not recorded. */
  readonly startTime: number | null;
  /** The pid namespace in which it has this id; undefined where it was not recorded: the namespace of the reader. */
  readonly namespace?: string | null;
  /** The file that it has locked (server-lock.ts). */
  readonly lock?: string;
  /**
   * The name of the server if it is a resident one. Such a server goes on to run without the device, so only the lock
   * says whether it has the device.
   */
  readonly resident?: string;
}

interface Servers {
  readonly server: ServerIdentity | null;
  readonly previous: ServerIdentity | null;
}

export function thisProcess(lock?: string, resident?: string): ServerIdentity {
  const { startTime } = readOwnProcess();
  return {
    pid: process.pid,
    startTime,
    namespace: pidNamespace(),
    ...(lock === undefined ? {} : { lock }),
    ...(resident === undefined ? {} : { resident }),
  };
}

/**
 * The server that the kernel names by `pid`, as it is seen from here: with the id that it has here, and the start time
 * where the device's record has it. `pid` is 0 or less when there is no server, and also when its process is in a pid
 * namespace that cannot be seen from here; then it is the one in the record.
 */
export function serverOf(pid: number, record: Servers | null): ServerIdentity {
  const known = [record?.server, record?.previous].filter((server) => server !== undefined && server !== null);
  const same = known.find((server) => !isElsewhere(server) && server.pid === pid);
  if (same !== undefined) return same;
  const elsewhere = known.filter(isElsewhere);
  const [server] = pid > 0 ? elsewhere.filter((one) => isServer(pid, one)) : elsewhere;
  if (server === undefined) return { pid, startTime: null };
  return isSameProcess(pid, server) ? { pid, startTime: server.startTime } : server;
}

/** Whether `server` is the process that the kernel names by `pid`. */
export function isServer(pid: number, server: ServerIdentity | null): boolean {
  // Linux before 7.0 names a server by the id that it has in its own pid namespace.
  return server !== null && (server.pid === pid || (isElsewhere(server) && isSameProcess(pid, server)));
}

/** Whether the server's id is of another pid namespace than that of this process. */
export function isElsewhere({ namespace }: ServerIdentity): boolean {
  return namespace !== undefined && namespace !== null && namespace !== pidNamespace();
}

/** The state of this very process; `gone` when another one has its id now, and when it has let go of the device. */
export function serverState(server: ServerIdentity): ProcessState {
  const { resident, lock } = server;
  if (resident !== undefined && lock !== undefined && !isServerLockHeld(lock)) return 'gone';
  if (isElsewhere(server)) return server.lock !== undefined && isServerLockHeld(server.lock) ? 'running' : 'gone';
  const { pid, startTime } = server;
  const facts = readProcess(pid);
  const isAnother = startTime !== null && !Number.isNaN(facts.startTime) && facts.startTime !== startTime;
  return isAnother ? 'gone' : stateOf(pid, facts);
}

/** A zombie is not alive. */
export function isServerAlive(server: ServerIdentity | null): boolean {
  return server !== null && isServing(serverState(server));
}

/** Whether the process `pid` of this namespace has the server's id in another one, and its start time. */
function isSameProcess(pid: number, server: ServerIdentity): boolean {
  return pid > 0 && readProcess(pid).startTime === server.startTime && numbersOf(pid).includes(server.pid);
}
