/**
 * Whether a program listens on its socket. Nobody tries to connect, because some programs count their clients: the kernel lists
 * the sockets of each network namespace.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Identity } from '../../../program/identity.ts';
import { findProcesses } from '../../../program/processes.ts';

/** The flag of a socket in /proc/PID/net/unix that listens (__SO_ACCEPTCON). */
const LISTENS = '00010000';

/** Whether a socket of this network namespace listens at the path. */
export function listensHere(path: string): boolean {
  return existsSync(path) && listed(path, 'self');
}

/** The same, in the network namespace of the program that was started, or of a process that it has started (`ip netns exec`). */
export async function listensElsewhere(
  path: string,
  { pid, startTime: since }: Identity,
  folder: string,
): Promise<boolean> {
  if (!existsSync(path)) return false;
  const { ours } = await findProcesses({ group: pid, since, folder });
  return ours.some((one) => {
    try {
      return listed(path, one.pid);
    } catch {
      // It has ended.
      return false;
    }
  });
}

function listed(path: string, pid: number | 'self'): boolean {
  return readFileSync(`/proc/${pid}/net/unix`, 'utf8')
    .split('\n')
    .some((line) => isAt(line, path));
}

function isAt(line: string, path: string): boolean {
  const [, , , flags, , , , at] = line.split(' ').filter((field) => field !== '');
  return at === path && flags === LISTENS;
}
