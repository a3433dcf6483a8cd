/** Which process is the program of a device: its id and start time in a file in the program's folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isServing, type ProcessFacts, readProcess } from '../record/process-state.ts';
import { writeWhole } from '../record/run-files.ts';

export interface Identity {
  readonly pid: number;
  /** Clock ticks from boot, which tell this process from a later one with its id. */
  readonly startTime: number;
}

/** When it throws, it has written nothing. */
export function writeIdentity(folder: string, { pid, startTime }: Identity): void {
  writeWhole(identityFile(folder), join(folder, 'process.next'), `${pid} ${startTime}\n`, 0o600);
}

/** null when none was written. */
export function readIdentity(folder: string): Identity | null {
  try {
    const [pid = 0, startTime = 0] = readFileSync(identityFile(folder), 'utf8').split(' ').map(Number);
    return { pid, startTime };
  } catch {
    return null;
  }
}

/** Whether this very process is there, and has not ended. One whose start time cannot be read is taken for the same. */
export function isThere({ pid, startTime }: Identity): boolean {
  const facts = readProcess(pid);
  return isServing(facts.state) && !isAnother(facts, startTime);
}

/** The process id of the program, as its folder says; null when there is none, or the id may be another process's by now. */
export function pidOfProgram(folder: string): number | null {
  const found = readIdentity(folder);
  if (found === null) return null;
  const facts = readProcess(found.pid);
  return facts.state === 'gone' || isAnother(facts, found.startTime) ? null : found.pid;
}

/**
 * The process group of the program, which its first process leads; null when the folder says none, or the id may be another
 * group's by now. The kernel gives a process id to no other process while there is a group with it.
 */
export function groupOfProgram(folder: string): number | null {
  const found = readIdentity(folder);
  if (found === null) return null;
  const leader = readProcess(found.pid);
  if (leader.state !== 'gone') return isAnother(leader, found.startTime) ? null : found.pid;
  return isGroup(found.pid) ? found.pid : null;
}

function isGroup(id: number): boolean {
  try {
    process.kill(-id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isAnother(facts: ProcessFacts, startTime: number): boolean {
  return !Number.isNaN(facts.startTime) && facts.startTime !== startTime;
}

function identityFile(folder: string): string {
  return join(folder, 'process');
}
