/**
 * The limit of processor time (RLIMIT_CPU). It is inherited from the shell or the unit that starts the server. A server that has used
 * it up is ended by SIGXCPU, and its device is without one in the midst of its work.
 */
import { readText } from '../native/kernel-files.ts';

/** Returns the note that a limit calls for. */
export function cpuTimeNotes(limits: string = readText('/proc/self/limits') ?? ''): string[] {
  const seconds = /^Max cpu time\s+(\d+)/m.exec(limits)?.[1];
  if (seconds === undefined) return [];
  const how = '`ulimit -t unlimited` in the shell, or LimitCPU=infinity in the systemd unit, lifts the limit';
  return [`the kernel ends the server after ${seconds} s of processor time (RLIMIT_CPU): ${how}`];
}
