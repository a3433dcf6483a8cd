/**
 * Ends the program of a server that is gone. Its guard has asked it to end when that server died (guarded.ts), but it may
 * take its time, and two programs must not write to one image.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UblkError } from '../../../errors.ts';
import { readProcess } from '../../../record/process-state.ts';
import { endByThemselves, endProcesses, findProcesses } from './processes.ts';
import { socketIn } from './socket.ts';
import type { StartedProgram } from './start.ts';

/** It was asked already: for this long, it is not disturbed. */
const UNDISTURBED_MS = 5_000;
const PATIENCE = { endsMs: 5_000, diesMs: 5_000 };

/** Writes the process id and start time of the program into its folder. When it throws, it has written nothing. */
export function writeProcess(folder: string, { pid, startTime }: Pick<StartedProgram, 'pid' | 'startTime'>): void {
  const next = join(folder, 'process.next');
  writeFileSync(next, `${pid} ${startTime}\n`, { mode: 0o600 });
  renameSync(next, processFile(folder));
}

/** The process id of the program, as its folder says; null when there is none, or the id may be another process's by now. */
export function pidOfProgram(folder: string): number | null {
  let text: string;
  try {
    text = readFileSync(processFile(folder), 'utf8');
  } catch {
    return null;
  }
  const [pid = 0, startTime = 0] = text.split(' ').map(Number);
  return readProcess(pid).startTime === startTime ? pid : null;
}

/**
 * Resolves when every process of the program whose folder this is has ended: waits, asks them, and kills them. Throws a
 * UblkError when one cannot be ended. `report` is told what is waited for.
 */
export async function endLeftOver(folder: string, report?: (what: string) => void): Promise<void> {
  if (!existsSync(folder)) return;
  const group = pidOfProgram(folder);
  const find = (): number[] => findProcesses(group, socketIn(folder));
  const [first] = find();
  if (first === undefined) return;
  report?.(`waiting for the program (pid ${first}) to end`);
  if (await endByThemselves(find, UNDISTURBED_MS)) return;
  const [stays] = await endProcesses(find, PATIENCE);
  if (stays === undefined) return;
  throw new UblkError(`the program of the device's last server (pid ${stays}) does not end`, {
    code: 'EBUSY',
    hint: '`dmesg` may say what it waits for; try again when it has ended',
  });
}

function processFile(folder: string): string {
  return join(folder, 'process');
}
