/** proc_pid_stat(5). */
import { readFileSync } from 'node:fs';

/** A field of /proc/PID/stat or of a thread's /proc/PID/task/TID/stat, by its number in the manual; from the third on. */
export function statField(path: string, number: number): string {
  const text = readFileSync(path, 'latin1');
  // The second is the name, in parentheses, and may have anything in it.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[number - 3] ?? '';
}
