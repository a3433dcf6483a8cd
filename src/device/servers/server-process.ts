/** Starts the process of a server, and waits until it has reported. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileCache } from '../../cache-home.ts';
import type { WaitOptions } from '../../control/waiting.ts';
import { keepDescriptors, setIoFlusher } from '../../native/libc/calls.ts';
import { spawnFailure } from '../../native/shortage.ts';
import { packagePath } from '../../package-root.ts';
import type { StartReport } from '../../protocol/start-report.ts';
import { changing } from '../../record/run-files.ts';
import { bytesOf, type Ending, textOf } from './ending.ts';
import { firstLine } from './first-line.ts';
import { serverNodeOptions } from './node-options.ts';

/** How long the kernel may take to end a process that was killed. */
export const KILLED_MS = 5_000;

/** A process that is to be started. */
export interface Program {
  /** The entry file in dist/, then its arguments. */
  readonly words: readonly [entry: string, ...words: string[]];
  /** Flags for Node and V8. */
  readonly flags: readonly string[];
  readonly log: string;
  /** The name of the part of the compile cache that it uses. */
  readonly cache: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  /** The result of PR_SET_IO_FLUSHER: 0 or an errno. */
  readonly flusher: number;
  /** null when the server ended before it reported anything. */
  readonly report: StartReport | null;
  /** Returns the text that the server has written to its log. */
  readonly said: () => string;
}

export async function start(
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
