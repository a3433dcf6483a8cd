/**
 * The mark: a variable in the environment of a program, which every process that it starts has too. It holds the path of
 * the program's folder, which no other program has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const VARIABLE = 'UBLKTS_PROGRAM';
/** A variable that only grep has, so that its answer shows whether it can find any. */
const CONTROL = 'UBLKTS_GREP';
/** How long it may take to read the environments. They are short, and in memory unless it is swapped out. */
const PATIENCE_MS = 2_000;
/** How many processes that cannot be read are passed by in one look. */
const MOST_STUCK = 3;

export function markOf(folder: string): NodeJS.ProcessEnv {
  return { [VARIABLE]: folder };
}

export interface Marked {
  readonly marked: ReadonlySet<number>;
  /** Processes whose environment could not be read in time: whether they have the mark is not known. */
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
  const marked = new Set<number>();
  const unread = new Set<number>();
  let rest = pids;
  for (let round = 0; rest.length > 0 && round < MOST_STUCK; round++) {
    const answer = await answerOf(rest, folder);
    for (const pid of answer.marked) marked.add(pid);
    if (answer.isComplete) return { marked, unread };
    rest = rest.filter((pid) => !answer.read.has(pid) && isListed(pid));
    // The first one that it has not read may be the one that it waits for; the others are read without that one.
    const [stuck] = rest;
    if (answer.hasBegun && stuck !== undefined) {
      unread.add(stuck);
      rest = rest.slice(1);
    } else break;
  }
  return { marked, unread: new Set([...unread, ...rest]) };
}

function isListed(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

interface Answer {
  readonly marked: ReadonlySet<number>;
  readonly read: ReadonlySet<number>;
  /** It has read all that there are to the end. */
  readonly isComplete: boolean;
  /** It runs, and waits for one of them. */
  readonly hasBegun: boolean;
}

async function answerOf(pids: readonly number[], folder: string): Promise<Answer> {
  const files = [...pids, 'self'].map((pid) => `/proc/${pid}/environ`);
  const patterns = ['-e', `${VARIABLE}=${folder}`, '-e', `${CONTROL}=yes`];
  const { output, isThere, isLate } = await outputOf(['-sHczxF', '--line-buffered', ...patterns, '--', ...files]);
  const lines = [...output.matchAll(/^\/proc\/(\d+|self)\/environ:(\d+)$/gm)];
  const found = (isWanted: (count: string) => boolean): Set<number> =>
    new Set(lines.filter(([, pid, count = '']) => pid !== 'self' && isWanted(count)).map(([, pid]) => Number(pid)));
  return {
    marked: found((count) => count !== '0'),
    read: found(() => true),
    // Its own environment, which it reads last, has the variable that only grep has.
    isComplete: !isThere || lines.some(([, pid, count]) => pid === 'self' && count !== '0'),
    hasBegun: isLate,
  };
}

interface Output {
  readonly output: string;
  /** Whether the system has a grep. */
  readonly isThere: boolean;
  /** It was given up. */
  readonly isLate: boolean;
}

async function outputOf(words: readonly string[]): Promise<Output> {
  let grep: ChildProcess;
  try {
    grep = spawn('grep', words, {
      cwd: '/',
      env: { PATH: process.env['PATH'], LC_ALL: 'C', [CONTROL]: 'yes' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // The system has no memory for another process.
    return { output: '', isThere: true, isLate: false };
  }
  let output = '';
  grep.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const { promise: closed, resolve } = Promise.withResolvers<boolean>();
  grep.on('close', () => resolve(true));
  grep.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ENOENT'));
  const waiting = new AbortController();
  const late = sleep(PATIENCE_MS, null, { signal: waiting.signal }).catch(() => null);
  const ended = await Promise.race([closed, late]);
  waiting.abort();
  if (grep.exitCode === null && grep.kill('SIGKILL')) {
    grep.stdout?.destroy();
    grep.unref();
  }
  return { output, isThere: ended !== false, isLate: ended === null };
}
