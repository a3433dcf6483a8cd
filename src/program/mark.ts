/**
 * The mark: a variable in the environment of a program, which every process that it starts has too. It holds the path of
 * the program's folder, which no other program has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const VARIABLE = 'UBLKTS_PROGRAM';
/** How long it may take to read the environments. They are short, and in memory unless it is swapped out. */
const PATIENCE_MS = 2_000;

export function markOf(folder: string): NodeJS.ProcessEnv {
  return { [VARIABLE]: folder };
}

export interface Marked {
  readonly marked: ReadonlySet<number>;
  /** Those whose environment could not be read in time: whether they have the mark is not known. */
  readonly unread: ReadonlySet<number>;
}

/**
 * Which of `pids` have the mark of this folder. grep(1) reads the environments, because the kernel takes the lock on a
 * process's memory for that, which a process that is stuck in the kernel may hold: then grep waits, and is killed or left
 * behind. Where there is no grep, none has the mark.
 */
export function markedAmong(pids: readonly number[], folder: string): Promise<Marked> {
  // One after another: a server may look for the processes of many programs at once.
  const looked = last.then(() => look(pids, folder));
  last = looked;
  return looked;
}

let last: Promise<unknown> = Promise.resolve();

async function look(pids: readonly number[], folder: string): Promise<Marked> {
  if (pids.length === 0) return { marked: new Set(), unread: new Set() };
  const files = pids.map((pid) => `/proc/${pid}/environ`);
  const answer = await answerOf(['-sHczxF', '--line-buffered', '-e', `${VARIABLE}=${folder}`, '--', ...files]);
  const counts = [...answer.output.matchAll(/^\/proc\/(\d+)\/environ:(\d+)$/gm)].map(([, pid, count]) => ({
    pid: Number(pid),
    isMarked: count !== '0',
  }));
  const read = new Set(counts.map(({ pid }) => pid));
  return {
    marked: new Set(counts.filter(({ isMarked }) => isMarked).map(({ pid }) => pid)),
    unread: new Set(answer.isComplete ? [] : pids.filter((pid) => !read.has(pid))),
  };
}

interface Answer {
  readonly output: string;
  /** Whether grep has ended by itself, or cannot be had. */
  readonly isComplete: boolean;
}

async function answerOf(words: readonly string[]): Promise<Answer> {
  let grep: ChildProcess;
  try {
    grep = spawn('grep', words, {
      cwd: '/',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // The system has no memory for another process.
    return { output: '', isComplete: false };
  }
  let output = '';
  grep.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const { promise: closed, resolve } = Promise.withResolvers<boolean>();
  grep.on('close', (code) => resolve(code !== null));
  grep.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ENOENT'));
  const waiting = new AbortController();
  const late = sleep(PATIENCE_MS, false, { signal: waiting.signal }).catch(() => false);
  const isComplete = await Promise.race([closed, late]);
  waiting.abort();
  if (grep.exitCode === null && grep.kill('SIGKILL')) {
    grep.stdout?.destroy();
    grep.unref();
  }
  return { output, isComplete };
}
