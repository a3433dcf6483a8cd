/**
 * Ends the program of a server that is gone. The kernel has told it to end when that server died, but it may take its
 * time, and two programs must not write to one image. So a new server waits for it, and kills it if it stays.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import { isServing, readProcess } from '../../../record/process-state.ts';
import type { StartedProgram } from './start.ts';

const ENDS_MS = 10_000;
const DIES_MS = 5_000;
const LOOK_MS = 20;

/** Writes the process id and start time of the program into its folder. When it throws, it has written nothing. */
export function writeProcess(folder: string, { pid, startTime }: Pick<StartedProgram, 'pid' | 'startTime'>): void {
  const next = join(folder, 'process.next');
  writeFileSync(next, `${pid} ${startTime}\n`, { mode: 0o600 });
  renameSync(next, processFile(folder));
}

/** Resolves when the process that is written down in the folder has ended. Throws a UblkError when it cannot be ended. */
export async function endLeftOver(folder: string): Promise<void> {
  const isThere = leftOver(folder);
  if (isThere === null || (await goes(isThere.lives, ENDS_MS))) return;
  process.kill(isThere.pid, 'SIGKILL');
  if (await goes(isThere.lives, DIES_MS)) return;
  throw new UblkError(`the program of the device's last server (pid ${isThere.pid}) does not end`, {
    code: 'EBUSY',
    hint: '`dmesg` may say what it waits for; try again when it has ended',
  });
}

interface LeftOver {
  readonly pid: number;
  readonly lives: () => boolean;
}

function leftOver(folder: string): LeftOver | null {
  let text: string;
  try {
    text = readFileSync(processFile(folder), 'utf8');
  } catch {
    return null;
  }
  const [pid = 0, startTime = 0] = text.split(' ').map(Number);
  const lives = (): boolean => {
    const { state, startTime: since } = readProcess(pid);
    return isServing(state) && since === startTime;
  };
  return { pid, lives };
}

async function goes(lives: () => boolean, patienceMs: number): Promise<boolean> {
  for (let waited = 0; lives(); waited += LOOK_MS) {
    if (waited >= patienceMs) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

function processFile(folder: string): string {
  return join(folder, 'process');
}
