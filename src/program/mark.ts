/**
 * The mark in the environment of a program, which all have that it starts. It is a variable that holds the path of the
 * program's folder, which no other program has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const VARIABLE = 'UBLKTS_PROGRAM';
/** How long it may take to read the environments. They are short, and in memory unless it is swapped out. */
const PATIENCE_MS = 2_000;

export function markOf(folder: string): NodeJS.ProcessEnv {
  return { [VARIABLE]: folder };
}

/**
 * Those of `pids` whose environment has the mark of this folder. grep(1) reads the environments, because the kernel takes
 * the lock on a process's memory for that, which a process that is stuck in the kernel may hold: then grep waits, and is
 * killed or left behind. What it had not read by then counts as unmarked.
 */
export async function markedAmong(pids: readonly number[], folder: string): Promise<number[]> {
  if (pids.length === 0) return [];
  const files = pids.map((pid) => `/proc/${pid}/environ`);
  const grep = spawn('grep', ['--no-messages', '-lzxF', '-e', `${VARIABLE}=${folder}`, '--', ...files], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = await outputOf(grep);
  return [...said.matchAll(/^\/proc\/(\d+)\/environ$/gm)].map(([, pid]) => Number(pid));
}

async function outputOf(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const { promise: over, resolve } = Promise.withResolvers<void>();
  child.on('close', () => resolve());
  child.on('error', () => resolve());
  const waiting = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: waiting.signal }).catch(() => {});
  await Promise.race([over, late]);
  waiting.abort();
  if (child.exitCode === null && child.kill('SIGKILL')) {
    child.stdout?.destroy();
    child.unref();
  }
  return said;
}
