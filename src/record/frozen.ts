/** Whether a process is frozen with its control group (version 2), as `docker pause` and `systemctl freeze` do it. */
import { readFileSync } from 'node:fs';

/** The kernel shows such a process as asleep; only its group says more. */
export function isFrozen(pid: number): boolean {
  try {
    const group = /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return group !== undefined && /^frozen 1$/m.test(readFileSync(`/sys/fs/cgroup${group}/cgroup.events`, 'utf8'));
  } catch {
    // It has ended, or its group cannot be seen from this container.
    return false;
  }
}
