/** Starts a server process, of one device or a resident one, and waits for its start report. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readlinkSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { compileCache } from '../../cache-home.ts';
import { packagePath } from '../../package-root.ts';
import type { WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { hasCapability } from '../../native/capabilities.ts';
import { shortageHint, spawnFailure, THREADS_HINT } from '../../native/shortage.ts';
import { keepDescriptors, setIoFlusher } from '../../native/libc/calls.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import { errnoText } from '../../native/uapi/errno.ts';
import { endOfFile } from '../../record/end-of-file.ts';
import { changing, removeFile } from '../../record/run-files.ts';
import { filesOf, makeRunDirectories, residentFiles } from '../../record/files.ts';
import { isServerLockHeld } from '../../record/server-lock.ts';
import { HUNG_MS, HungStart, LOOK_MS } from './hung-start.ts';
import { serverNodeOptions } from './node-options.ts';
import { decodeStartReport, type StartReport } from '../../protocol/start-report.ts';
import type { StartMode } from '../../server/serving.ts';
import { RESIDENT_START_FLAGS, START_FLAGS } from '../../server/v8-flags.ts';
import type { ServerOptions } from '../../spec/server-options.ts';

export interface ServerProcess {
  readonly device: number;
  readonly pid: number;
  readonly notes: readonly string[];
  /** Lets this process end while the server goes on. */
  release(): void;
  /** Resolves when the server's process has ended, however. */
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Longer than any wait inside the server, so that the server itself reports what it waited for. */
const READY_SECONDS = 150;
const KILLED_MS = 5_000;
/** Bytes of a server's log that are looked at for the reason of its end. */
const MOST_SAID = 64 << 10;

export interface Launch {
  readonly device: number;
  readonly mode: StartMode;
  /** The call that starts it, as in the device's record. */
  readonly attempt: string;
  /** The name of a built-in target, or the absolute path of a file. */
  readonly target: string;
}

/** A process that is to be started. */
interface Program {
  /** The entry file in dist/, then its arguments. */
  readonly words: readonly [entry: string, ...words: string[]];
  /** Flags for Node and V8. */
  readonly flags: readonly string[];
  readonly log: string;
  /** The name of the part of the compile cache that it uses. */
  readonly cache: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A file whose disk hangs keeps a thread of libuv's pool until the disk answers (targets/backing-calls.ts). With the usual
 * four, four such files would hold up all other devices of a resident server when they come and go.
 */
const POOL_OF_RESIDENT = { UV_THREADPOOL_SIZE: '32' };

export interface ResidentProcess {
  readonly pid: number;
  readonly notes: readonly string[];
  release(): void;
  readonly ended: Promise<Ending>;
}

/**
 * Starts the resident server `name`. It stays in the mount namespace of this process, because files that are mounted later
 * must be found by their paths.
 */
export async function launchResident(
  name: string,
  options: ServerOptions,
  waiting: WaitOptions = {},
): Promise<ResidentProcess> {
  makeRunDirectories();
  const files = residentFiles(name);
  const { log } = files;
  const before = Object.values(files).filter((path) => existsSync(path));
  const program: Program = {
    words: ['dist/server/resident/main.cjs', name, JSON.stringify(options)],
    flags: RESIDENT_START_FLAGS,
    log,
    cache: 'resident',
    environment: POOL_OF_RESIDENT,
  };
  try {
    const { child, ended, flusher, report, said } = await start(program, [], waiting);
    if (report === null) throw diedError(null, said(), await ended);
    if (!report.ready) {
      // It ends itself when it has reported.
      await Promise.race([ended, sleep(KILLED_MS, undefined, { ref: false })]);
      throw report.error;
    }
    const notes = [...report.notes, ...flusherNote(flusher)];
    if (!isFirstNamespace()) notes.push(SHARED_NAMESPACE);
    return { pid: child.pid ?? -1, notes, release: () => child.unref(), ended };
  } catch (error) {
    // It was killed, and so its files are left, unless another one of this name has been started meanwhile.
    const left = isServerLockHeld(files.lock) ? [] : Object.values(files).filter((path) => !before.includes(path));
    for (const path of left) removeFile(path);
    throw error;
  }
}

function isFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/1/ns/mnt') === currentNamespace('mnt');
  } catch {
    return false;
  }
}

function flusherNote(errno: number): string[] {
  return errno === 0 ? [] : [`PR_SET_IO_FLUSHER: ${errnoText(errno)}`];
}

/** `waiting.signal` ends the server that is starting; its bound is the server's own. */
export async function launchServer(launch: Launch, waiting: WaitOptions = {}): Promise<ServerProcess> {
  const { device, mode, attempt, target } = launch;
  makeRunDirectories();
  const { log } = filesOf(device);
  // The command has loaded the target's file already, so its code without types is in the compile cache of the command.
  const cache = isAbsolute(target) ? mode : 'server';
  const words: Program['words'] = ['dist/server/main.cjs', String(device), mode, attempt, currentNamespace('mnt')];
  const program: Program = { words, flags: START_FLAGS, log, cache };
  const wrapper = ownNamespace();
  const first = await start(program, wrapper, waiting);
  // A sandbox may forbid what the capability allows: unshare(1) ends with 1 and has not started anything.
  const refused = wrapper.length > 0 && first.report === null && (await first.ended).exitCode === 1;
  const { child, ended, flusher, report, said } = refused ? await start(program, [], waiting) : first;
  if (report === null) throw diedError(device, said(), await ended);
  if (!report.ready) throw report.error;
  const notes = [...report.notes, ...flusherNote(flusher)];
  if (refused || wrapper.length === 0) notes.push(SHARED_NAMESPACE);
  return { device, pid: child.pid ?? -1, notes, release: () => child.unref(), ended };
}

const SHARED_NAMESPACE =
  'the server shares the mount namespace of its caller: do not kill it as the last process of a namespace in which its own device is mounted';

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  /** The result of PR_SET_IO_FLUSHER: 0 or an errno. */
  readonly flusher: number;
  /** null when the server ended before it reported anything. */
  readonly report: StartReport | null;
  /** Returns the text that the server has written to its log. */
  readonly said: () => string;
}

async function start(
  { words, flags, log, cache, environment }: Program,
  wrapper: readonly string[],
  { signal, onWaiting }: WaitOptions,
): Promise<Started> {
  const logged = bytesOf(log);
  const said = (): string => textOf(log, logged);
  const [entry, ...rest] = words;
  const line = [...wrapper, process.execPath, ...flags, packagePath(entry), ...rest];
  const { child, flusher } = spawnServer(line, log, { ...process.env, ...serverEnvironment(cache), ...environment });
  // Without a process there are no pipes either.
  if (child.pid === undefined) throw await notStarted(child);
  const ended = Promise.withResolvers<Ending>();
  child.on('exit', (exitCode, signal) => ended.resolve({ exitCode, signal }));
  child.on('error', () => ended.resolve({ exitCode: null, signal: null }));
  const answer = async (): Promise<StartReport | null> => {
    onWaiting?.(`waiting for the server (pid ${child.pid}) to start`);
    return firstLine(child, said, ended.promise, signal);
  };
  const report = await answer().catch(async (error: unknown) => {
    // Alive, it would hold the device that is to be removed.
    child.kill('SIGKILL');
    await Promise.race([ended.promise, sleep(KILLED_MS, undefined, { ref: false })]);
    throw error;
  });
  return { child, ended: ended.promise, flusher, report, said };
}

/** Some errors, for instance ENOMEM, are thrown at once; others come as an event, from a child without a pid. */
function spawnServer(
  [program = '', ...args]: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv,
): Pick<Started, 'child' | 'flusher'> {
  const logFd = changing(log, () => openSync(log, 'a', 0o600));
  // Every thread of the server must be an IO flusher from its start, because it may wait for memory that only a request to the
  // device of another thread can free.
  const flusher = setIoFlusher(true);
  keepDescriptors();
  try {
    // Plain spawn, not execa: a raw descriptor for the log and nothing kept open is all that is wanted, and `add` starts
    // 60 ms sooner (docs/decisions/0003). Not the shell's directory: a server must not keep a file system busy.
    const child = spawn(program, args, { detached: true, env, cwd: '/', stdio: ['ignore', logFd, logFd, 'pipe'] });
    return { child, flusher };
  } catch (error) {
    throw spawnFailure(error);
  } finally {
    setIoFlusher(false);
    closeSync(logFd);
  }
}

async function notStarted(child: ChildProcess): Promise<unknown> {
  const [error] = (await once(child, 'error')) as [Error];
  return spawnFailure(error);
}

/**
 * The program that gives the server a mount namespace of its own (server/mount-namespace.ts), with its words: it becomes
 * the server. Node cannot do it itself: by the time it runs a script it has threads, and each would stay behind. Nothing
 * where the program or the permission is missing.
 */
function ownNamespace(): string[] {
  const program = ['/usr/bin/unshare', '/bin/unshare'].find((path) => existsSync(path));
  if (program === undefined || !hasCapability('CAP_SYS_ADMIN')) return [];
  return [program, '--mount', '--propagation', 'private', '--'];
}

/**
 * One malloc arena for all threads: glibc gives each its own, and keeps what it was once used for; none of them allocates
 * while it serves. 44.8 MB of private memory become 38.2 (null, two queues, after I/O). The compile cache is for all
 * threads, too (docs/decisions/0016).
 */
function serverEnvironment(part: string): NodeJS.ProcessEnv {
  const cache = compileCache(part);
  const nodeOptions = process.env['NODE_OPTIONS'];
  return {
    MALLOC_ARENA_MAX: '1',
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
    ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: serverNodeOptions(nodeOptions) }),
  };
}

async function firstLine(
  { pid = -1, stdio }: ChildProcess,
  said: () => string,
  ended: Promise<Ending>,
  signal: AbortSignal | undefined,
): Promise<StartReport | null> {
  const line = Promise.withResolvers<StartReport | null>();
  const stream = stdio[3] as Readable;
  let text = '';
  const hung = new HungStart();
  const looks = setInterval(() => {
    if (hung.look(pid) >= HUNG_MS) line.reject(hungError(pid));
  }, LOOK_MS);
  stream.on('data', (chunk: Buffer) => {
    // Its script runs, and may wait for something.
    clearInterval(looks);
    text += chunk.toString();
    const report = decodeStartReport(text);
    if (report !== null) line.resolve(report);
  });
  stream.on('end', () => line.resolve(null));
  void ended.then(() => setImmediate(() => line.resolve(null)));
  const timer = setTimeout(() => line.reject(silentError(pid, said())), READY_SECONDS * 1000);
  const abort = (): void => line.reject(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await line.promise;
  } finally {
    clearTimeout(timer);
    clearInterval(looks);
    signal?.removeEventListener('abort', abort);
  }
}

/** The log of a device that could not be added goes with it, so what it says is in the message. */
function silentError(pid: number, said: string): UblkError {
  return new UblkError(
    `the server (pid ${pid}) did not report within ${READY_SECONDS} s that it is ready, and was killed${quoted(said)}`,
    { code: 'TIMEOUT', hint: '`ublkts doctor` checks what a server needs' },
  );
}

function hungError(pid: number): UblkError {
  return new UblkError(
    `the server (pid ${pid}) has not begun to run within ${HUNG_MS / 1000} s, and was killed: Node probably waits for threads that it could not start`,
    { code: 'EAGAIN', command: 'pthread_create', hint: THREADS_HINT },
  );
}

/** `said` is what this server wrote to its log. */
function diedError(device: number | null, said: string, ending: Ending): UblkError {
  const how = ending.signal === null ? `with exit code ${ending.exitCode ?? '?'}` : `by ${ending.signal}`;
  return new UblkError(
    `the server ended ${how} before ${device === null ? 'it' : 'the device'} was ready${quoted(said)}`,
    {
      code: 'SERVER_DIED',
      ...(device === null ? {} : { device }),
      hint:
        shortageHint(lastWords(said)) ?? shortageHint(said) ?? (isMute(ending, said) ? THREADS_HINT : LOOK_AT_DMESG),
      cause: ending,
    },
  );
}

const LOOK_AT_DMESG = 'if it says nothing, see `dmesg` for the out-of-memory killer';

/** libuv ends a process without a word when it cannot start the threads of its pool. */
function isMute({ signal }: Ending, said: string): boolean {
  return signal === 'SIGABRT' && said.trim() === '';
}

function quoted(said: string): string {
  const last = lastWords(said);
  return last === '' ? '' : `: ${last}`;
}

/** A call in the stack that Node prints when it gives up. */
const CALL = /^\s*\d+: 0x/;

/** Returns the line of Node's last output that says why it ended, without the stack. */
export function lastWords(said: string): string {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !CALL.test(line));
  const why = lines.findLast((line) => /FATAL ERROR|Fatal (?:process|JavaScript)|Check failed|Assertion/i.test(line));
  return why?.replaceAll(/^[#\s]+/g, '') ?? thrown(lines) ?? lines.slice(-3).join(' | ');
}

/** The line of an exception that nothing caught: Node prints the stack and the properties after it, and its version last. */
function thrown(lines: readonly string[]): string | undefined {
  return /^Node\.js v\d/.test(lines.at(-1) ?? '') ? lines.findLast((line) => /^\w*Error\b.*: /.test(line)) : undefined;
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The end of the log, without what an earlier server wrote: its first `skipped` bytes. */
function textOf(path: string, skipped: number): string {
  try {
    return endOfFile(path, skipped, MOST_SAID);
  } catch {
    return '';
  }
}
