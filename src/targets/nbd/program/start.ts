/**
 * Starts a program that is to serve NBD on a unix socket. It and the processes that it starts are tied to this process: all
 * of them end with it, and when the program itself ends, none of them is left (src/program/).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import { describeLeft, endProcesses } from '../../../program/end.ts';
import { guarded } from '../../../program/guarded.ts';
import { type Identity, isThere } from '../../../program/identity.ts';
import { markOf } from '../../../program/mark.ts';
import { askToEnd, type Found, isEmpty, type Search, send } from '../../../program/processes.ts';
import { option } from '../../../spec/option-names.ts';
import { endOfFile } from '../../../record/end-of-file.ts';
import { readProcess } from '../../../record/process-state.ts';
import { changing } from '../../../record/run-files.ts';
import { escapeControls } from '../../../text/escape.ts';
import { joinWords } from '../../../text/shell-words.ts';
import { serverLog } from '../../log.ts';
import { type Program, startWords } from './command.ts';
import { listensElsewhere, listensHere } from './listens.ts';
import { socketIn } from './socket.ts';

export interface StartedProgram extends Identity {
  /** Resolves when the program's own process has ended, to how. */
  readonly exited: Promise<string>;
  /**
   * Resolves when it and all processes that it has started have ended, to a predicate such as `ended with exit code 1`,
   * with the last lines that it has printed.
   */
  readonly ended: Promise<string>;
  /**
   * Asks it and what it has started to end, and kills what does not. Resolves to whether all have ended; one that is stuck in
   * the kernel is not waited for any longer.
   */
  readonly end: () => Promise<boolean>;
}

/** A program that opens a remote image may need a while until it listens. */
const LISTEN_MS = 30_000;
const LOOK_MS = 20;
const LOOK_ELSEWHERE_MS = 500;
const END_MS = 5_000;
const PATIENCE = { endsMs: END_MS, diesMs: END_MS };
/** Longer than all of them are given to end, to be killed, and to be found again. */
const GIVE_UP_MS = 20_000;
/** How often those that do not die are looked at. */
const STUCK_LOOK_MS = 500;
/** The code of the error about a program that has ended, or does not listen. */
export const DIED = 'PROGRAM_DIED';
const LAST_LINES = 3;
const MOST_CHARACTERS = 400;
/** Bytes at the end of the log that may have them: a program can write much. */
const MOST_READ = 64 << 10;
/** The server's lines begin with the time. */
const OF_SERVER = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;

/**
 * Starts it. It does not listen yet: see `untilListening`. Its socket is in `folder`. What it prints is appended to the file
 * `log`. `report` is told of processes that it has left behind. Throws a UblkError when its directory is not there.
 */
export function startProgram(
  program: Program,
  folder: string,
  log: string,
  report: (message: string) => void = serverLog,
): StartedProgram {
  requireDirectory(program);
  const { child, logged } = spawnGuarded(program, folder, log);
  const { pid = null } = child;
  const { startTime } = readProcess(pid ?? -1);
  let isAsked = false;
  const wasAsked = (one: number): boolean => isAsked && readProcess(one).group === pid;
  const reportLeft = (left: Found): void =>
    report(`of the program \`${escapeControls(joinWords(program.words))}\`, ${describeLeft(left)}`);
  const exited = endOf(child);
  const ended = exited.then(async (how) => {
    if (pid !== null) await endAll({ group: pid, since: startTime, folder }, wasAsked, reportLeft);
    const last = lastWords(log, logged);
    return last === '' ? how : `${how} (${last})`;
  });
  const end = async (): Promise<boolean> => {
    if (pid !== null && isRunning(child)) {
      isAsked = true;
      askToEnd(-pid);
    }
    const killing = setTimeout(() => pid !== null && isRunning(child) && send(-pid, 'SIGKILL'), END_MS);
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const givingUp = setTimeout(() => resolve(false), GIVE_UP_MS);
    const hasEnded = await Promise.race([ended.then(() => true), late]);
    clearTimeout(killing);
    clearTimeout(givingUp);
    return hasEnded;
  };
  return { pid: pid ?? -1, startTime, exited, ended, end };
}

interface Spawned {
  readonly child: ChildProcess;
  /** How many bytes the log had before. */
  readonly logged: number;
}

function spawnGuarded(program: Program, folder: string, log: string): Spawned {
  const socket = socketIn(folder);
  rmSync(socket, { force: true });
  const [file = '', ...args] = startWords(program, socket);
  const fd = changing(log, () => openSync(log, 'a', 0o600));
  try {
    const logged = fstatSync(fd).size;
    const child = spawn(...guarded(file, args), {
      cwd: program.directory,
      detached: true,
      env: { ...environment(), ...markOf(folder) },
      stdio: ['ignore', fd, fd, 'pipe'],
    });
    // The guard ends together with the program, and says nothing.
    child.stdio[3]?.on('error', () => {});
    return { child, logged };
  } finally {
    closeSync(fd);
  }
}

/** Ends what the program has left. Resolves when none is there; `report` is told of those that do not end in time. */
async function endAll(
  search: Search,
  wasAsked: (pid: number) => boolean,
  report: (left: Found) => void,
): Promise<void> {
  let left = await endProcesses(search, PATIENCE, wasAsked);
  if (isEmpty(left)) return;
  report(left);
  // One whose environment cannot be read is not waited for any longer: it may itself wait for the device.
  while (left.ours.length > 0) {
    while (left.ours.every(isThere)) await sleep(STUCK_LOOK_MS, undefined, { ref: false });
    left = await endProcesses(search, PATIENCE);
  }
}

/**
 * Resolves when it listens. Throws a UblkError when it ends before that, or takes too long; then it has ended. `signal`
 * gives up, and leaves it running.
 */
export async function untilListening(
  program: Program,
  started: StartedProgram,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const socket = socketIn(folder);
  let how = '';
  void started.ended.then((text) => (how = text));
  for (let waited = 0; !listensHere(socket); waited += LOOK_MS) {
    if (waited % LOOK_ELSEWHERE_MS === 0 && (await listensElsewhere(socket, started, folder))) return;
    signal?.throwIfAborted();
    if (how !== '') throw failed(program, `${how} before it listened on its socket`);
    if (waited >= LISTEN_MS) {
      await started.end();
      throw failed(program, `does not listen on its socket within ${LISTEN_MS / 1000} s`);
    }
    await sleep(LOOK_MS);
  }
}

/** The error of a program, of which `what` is said as a predicate. */
export function failed({ words, directory }: Program, what: string): UblkError {
  return new UblkError(`the program \`${escapeControls(joinWords(words))}\` ${what}`, {
    code: DIED,
    kind: 'failed',
    hint: `it is started in ${directory} and must stay in the foreground; try it by itself in a shell. A resident server starts it with its own environment, not with that of \`add\``,
  });
}

/** Without it, the system would say that there is no such program. */
function requireDirectory({ words, directory }: Program): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const name = escapeControls(joinWords(words));
  throw new UblkError(`the program \`${name}\` cannot be started: there is no directory ${directory}`, {
    code: 'ENOENT',
    kind: 'failed',
    hint: ['make it, or name another one with ', option('targetOptions.directory')],
  });
}

/** The variables that are for the device's server alone are left out (device/servers/launch.ts). */
function environment(): NodeJS.ProcessEnv {
  const { MALLOC_ARENA_MAX: _arenas, NODE_COMPILE_CACHE: _cache, ...rest } = process.env;
  return rest;
}

/** What the program has left behind when it has ended is ended by `endProcesses`. */
function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
  child.on('exit', (code, signal) =>
    resolve(signal === null ? `ended with exit code ${code ?? '?'}` : `was ended by ${signal}`),
  );
  return promise;
}

/** The last lines of the program behind the first `skipped` bytes of the log, to which the device's server writes too. */
function lastWords(path: string, skipped: number): string {
  let said: string;
  try {
    said = endOfFile(path, skipped, MOST_READ);
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
