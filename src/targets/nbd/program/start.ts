/**
 * Starts a program that is to serve NBD on a unix socket, tied to this process: the kernel sends it SIGTERM when this
 * process dies, however it dies. SIGTERM and not SIGKILL, because a program such as qemu-nbd holds some of what it has
 * acknowledged in memory, and stores it when it is asked to end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import { tiedToThisProcess } from '../../../native/tied.ts';
import { readProcess } from '../../../record/process-state.ts';
import { escapeControls } from '../../../text/escape.ts';
import { joinWords } from '../../../text/shell-words.ts';
import { type Program, startWords } from './command.ts';

export interface StartedProgram {
  readonly pid: number;
  /** Clock ticks from boot, which tell this process from a later one with its id. */
  readonly startTime: number;
  /**
   * Resolves when it has ended, to a predicate such as `ended with exit code 1`, with the last lines that it has
   * printed.
   */
  readonly ended: Promise<string>;
  /** Asks it to end, and kills it if it does not. Resolves when it has ended. */
  readonly end: () => Promise<void>;
}

/** A program that opens a remote image may need a while until it listens. */
const LISTEN_MS = 30_000;
const LOOK_MS = 20;
const END_MS = 5_000;
const LAST_LINES = 3;
const MOST_CHARACTERS = 400;
/** The server's lines begin with the time. */
const OF_SERVER = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;
/** The flag of a socket in /proc/net/unix that listens (__SO_ACCEPTCON). */
const LISTENS = '00010000';

/** Starts it. It does not listen yet: see `untilListening`. What it prints is appended to the file `log`. */
export function startProgram(program: Program, socket: string, log: string): StartedProgram {
  rmSync(socket, { force: true });
  const [file = '', ...args] = startWords(program, socket);
  const fd = openSync(log, 'a', 0o600);
  let logged: number;
  let child: ChildProcess;
  try {
    logged = fstatSync(fd).size;
    child = spawn(...tiedToThisProcess('TERM', file, args), {
      cwd: program.directory,
      env: environment(),
      stdio: ['ignore', fd, fd],
    });
  } finally {
    closeSync(fd);
  }
  const ended = endOf(child, () => lastWords(log, logged));
  const { pid = -1 } = child;
  return { pid, startTime: readProcess(pid).startTime, ended, end: () => end(child, ended) };
}

/**
 * Resolves when it listens. Throws a UblkError when it ends before that, or takes too long; then it has ended. `signal`
 * gives up, and leaves it running.
 */
export async function untilListening(
  program: Program,
  started: StartedProgram,
  socket: string,
  signal?: AbortSignal,
): Promise<void> {
  let how = '';
  void started.ended.then((text) => (how = text));
  for (let waited = 0; !listens(socket); waited += LOOK_MS) {
    signal?.throwIfAborted();
    if (how !== '') throw failed(program, `${how} before it listened on its socket`);
    if (waited >= LISTEN_MS) {
      await started.end();
      throw failed(program, `does not listen on its socket within ${LISTEN_MS / 1000} s`);
    }
    await sleep(LOOK_MS);
  }
}

function failed({ words, directory }: Program, what: string): UblkError {
  return new UblkError(`the program \`${escapeControls(joinWords(words))}\` ${what}`, {
    code: 'PROGRAM_DIED',
    kind: 'failed',
    hint: `it is started in ${directory} and must stay in the foreground; try it by itself in a shell`,
  });
}

/** The variables that are for the device's server alone are left out (device/launch.ts). */
function environment(): NodeJS.ProcessEnv {
  const { MALLOC_ARENA_MAX: _arenas, NODE_COMPILE_CACHE: _cache, ...rest } = process.env;
  return rest;
}

function endOf(child: ChildProcess, words: () => string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    const how = signal === null ? `ended with exit code ${code ?? '?'}` : `was ended by ${signal}`;
    const last = words();
    resolve(last === '' ? how : `${how} (${last})`);
  });
  return promise;
}

async function end(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await ended;
  clearTimeout(timer);
}

/** The last lines of the program behind the first `skipped` bytes of the log, to which the device's server writes too. */
function lastWords(path: string, skipped: number): string {
  let said: string;
  try {
    said = readFileSync(path).subarray(skipped).toString();
  } catch {
    return '';
  }
  const lines = said.split('\n').map((line) => line.trim());
  return escapeControls(
    lines
      .filter((line) => line !== '' && !OF_SERVER.test(line))
      .slice(-LAST_LINES)
      .join(' | ')
      .slice(-MOST_CHARACTERS),
  );
}

/** Whether a socket listens there. It does not try to connect, because some programs count their clients. */
function listens(path: string): boolean {
  if (!existsSync(path)) return false;
  return readFileSync('/proc/self/net/unix', 'utf8')
    .split('\n')
    .some((line) => {
      const [, , , flags, , , , at] = line.split(' ').filter((field) => field !== '');
      return at === path && flags === LISTENS;
    });
}
