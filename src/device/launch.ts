/** Starts a device's server process and waits for its start report. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { packagePath } from '../package-root.ts';
import type { WaitOptions } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import { setIoFlusher } from '../native/libc/calls.ts';
import { errnoText } from '../native/uapi/errno.ts';
import { filesOf, makeRunDirectories } from '../record/files.ts';
import { decodeStartReport, type StartReport } from '../protocol/start-report.ts';
import type { StartMode } from '../server/serve-device.ts';

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
const READY_SECONDS = 120;
const KILLED_MS = 5_000;

/** `waiting.signal` ends the server that is starting; its bound is the server's own. */
export async function launchServer(
  device: number,
  mode: StartMode,
  { signal, onWaiting }: WaitOptions = {},
): Promise<ServerProcess> {
  makeRunDirectories();
  const { log } = filesOf(device);
  const logFd = openSync(log, 'a', 0o600);
  const entry = packagePath('dist/server/main.js');
  // The child and all its threads inherit it: what one of them waits for may be what another has to serve.
  const flusher = setIoFlusher(true);
  // Plain spawn, not execa: it takes a raw descriptor for the log, and `add` starts 60 ms sooner
  // (docs/decisions/0003).
  const child = spawn(process.execPath, [...serverFlags(), entry, String(device), mode], {
    detached: true,
    env: { ...process.env, ...SERVER_ENVIRONMENT },
    // Not the shell's directory: a server must not keep a file system busy.
    cwd: '/',
    stdio: ['ignore', logFd, logFd, 'pipe'],
  });
  setIoFlusher(false);
  closeSync(logFd);
  const ended = Promise.withResolvers<Ending>();
  child.on('exit', (exitCode, signal) => ended.resolve({ exitCode, signal }));
  child.on('error', () => ended.resolve({ exitCode: null, signal: null }));
  onWaiting?.(`waiting for the server (pid ${child.pid}) to start`);
  const report = await firstLine(child.stdio[3] as Readable, ended.promise, signal).catch(async (error) => {
    // A server that lives on would hold the device that is to be removed.
    child.kill('SIGKILL');
    await Promise.race([ended.promise, sleep(KILLED_MS, undefined, { ref: false })]);
    throw error;
  });
  if (report === null) throw diedError(device, log, await ended.promise);
  if (!report.ready) throw report.error;
  return {
    device,
    pid: child.pid ?? -1,
    notes: flusher === 0 ? report.notes : [...report.notes, `PR_SET_IO_FLUSHER: ${errnoText(flusher)}`],
    release: () => child.unref(),
    ended: ended.promise,
  };
}

/**
 * One malloc arena for all threads: glibc gives each its own, and keeps what it was once used for; none of them allocates
 * while it serves. 44.8 MB of private memory become 38.2 (null, two queues, after I/O).
 */
const SERVER_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };

/** docs/decisions/0005 says what each flag is for. */
function serverFlags(): string[] {
  return [
    '--max-semi-space-size=2',
    '--max-inlined-bytecode-size=2000',
    '--max-inlined-bytecode-size-cumulative=12000',
    '--max-inlined-bytecode-size-absolute=24000',
    '--max-inlined-bytecode-size-small=40',
    '--no-turbo-typer-hardening',
  ];
}

async function firstLine(
  stream: Readable,
  ended: Promise<Ending>,
  signal: AbortSignal | undefined,
): Promise<StartReport | null> {
  const line = Promise.withResolvers<StartReport | null>();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const report = decodeStartReport(text);
    if (report !== null) line.resolve(report);
  });
  stream.on('end', () => line.resolve(null));
  void ended.then(() => setImmediate(() => line.resolve(null)));
  const timer = setTimeout(() => line.reject(silentError()), READY_SECONDS * 1000);
  const abort = (): void => line.reject(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await line.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function silentError(): UblkError {
  return new UblkError(`the server said neither ready nor error within ${READY_SECONDS} s, and was killed`, {
    code: 'TIMEOUT',
    command: 'add',
    hint: 'try again; if it stays so, `ublkts doctor` says what it needs',
  });
}

function diedError(device: number, log: string, ending: Ending): UblkError {
  const how = ending.signal === null ? `with exit code ${ending.exitCode ?? '?'}` : `by ${ending.signal}`;
  const last = lastLines(log);
  return new UblkError(`the server ended ${how} before the device was ready${last === '' ? '' : `: ${last}`}`, {
    code: 'SERVER_DIED',
    device,
    command: 'add',
    hint: 'if it says nothing, see `dmesg` for the out-of-memory killer',
    cause: ending,
  });
}

function lastLines(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-3).join(' | ');
  } catch {
    return '';
  }
}
