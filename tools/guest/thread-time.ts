/** Reads the CPU time of a server's threads. In a guest whose clock counts instructions, it is their instructions. */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds of all threads of a process so far, by the scheduler's own account (/proc/PID/task/TID/schedstat). */
export function threadTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, thread) => sum + timeOf(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')),
    0,
  );
}

function timeOf(schedstat: string): number {
  return Number(schedstat.slice(0, schedstat.indexOf(' ')));
}
