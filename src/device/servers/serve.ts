/** Resident servers: processes that serve many devices. `serve` starts one, and `add` and `recover` give it devices. */
import { existsSync } from 'node:fs';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { readText } from '../../native/kernel-files.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import { requireCpus } from '../require-cpus.ts';
import { askResident, DIED_HINT, isGone, noServer, type ResidentServer } from '../../protocol/ask-resident.ts';
import { residentFiles } from '../../record/files.ts';
import { given, type OrUndefined } from '../../spec/given.ts';
import {
  checkServerOptions,
  DEFAULT_SERVER,
  parseServerOptions,
  SERVER_DEFAULTS,
  serverName,
  type ServerOptions,
} from '../../spec/server-options.ts';
import type { Ending } from './ending.ts';
import { type Launch, launchResident, launchServer, type ServerProcess } from './launch.ts';

/** Each try waits for the lock of the name for two seconds. */
const TRIES = 3;

export interface ServeOptions extends OrUndefined<Partial<ServerOptions>> {
  /** Default: `main`. */
  readonly name?: string | undefined;
}

export interface StartedServer {
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Sentences on what the server has to do without. */
  readonly notes: readonly string[];
}

/** Resolves when the server takes devices. Throws a UblkError of kind `busy` when there is one of that name. */
export async function startServer(options: ServeOptions = {}, waiting: WaitOptions = {}): Promise<StartedServer> {
  const { name, wanted } = checked(options);
  requireWaiting(waiting);
  return launched(name, wanted, waiting);
}

async function launched(name: string, wanted: ServerOptions, waiting: WaitOptions): Promise<StartedServer> {
  const server = await launchResident(name, wanted, waiting);
  server.release();
  return { name, pid: server.pid, notes: server.notes };
}

/**
 * `onReady` gets the server when it takes devices. Resolves when the server has ended, and rejects when it was killed or
 * failed: the cause of the error is its Ending.
 */
export async function serveInForeground(
  options: ServeOptions,
  onReady: (server: StartedServer) => void,
  waiting: WaitOptions = {},
): Promise<void> {
  const { name, wanted } = checked(options);
  const { pid, notes, ended } = await launchResident(name, wanted, waiting);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // The server is in a session of its own, and decides itself whether it can end.
  const pass = (signal: NodeJS.Signals): void => void process.kill(pid, signal);
  for (const signal of signals) process.on(signal, pass);
  // It was ready when the signal came, and nobody had seen that yet.
  if (waiting.signal?.aborted === true) pass('SIGTERM');
  try {
    onReady({ name, pid, notes });
    const ending = await ended;
    if (!isWell(name, ending)) throw killedError(name, ending);
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/**
 * A server that ends when it was asked to removes its files first, and then may kill its own process, which something of a
 * target's could keep (server/resident/main.ts).
 */
function isWell(name: string, { exitCode, signal }: Ending): boolean {
  return exitCode === 0 || (signal === 'SIGKILL' && !existsSync(residentFiles(name).lock));
}

function killedError(name: string, ending: Ending): UblkError {
  const { exitCode, signal } = ending;
  const how = signal === null ? `ended with exit code ${exitCode ?? '?'}` : `was ended by ${signal}`;
  return new UblkError(`the server ${name} ${how}`, {
    code: 'SERVER_DIED',
    cause: ending,
    hint: DIED_HINT,
  });
}

/** Starts the device on the resident server `server`, or on a process of its own for null. Resolves when it is live. */
export async function startOn(server: string | null, launch: Launch, waiting: WaitOptions): Promise<ServerProcess> {
  if (server === null) return launchServer(launch, waiting);
  const { pid, notes } = await startOnResident(server, launch, waiting);
  // The server was there before the device and stays.
  return { device: launch.device, pid, notes, release: () => {}, ended: new Promise(() => {}) };
}

async function startOnResident(
  name: string,
  { device, mode, attempt }: Launch,
  { signal, onWaiting }: WaitOptions,
): Promise<{ readonly pid: number; readonly notes: readonly string[] }> {
  onWaiting?.(`waiting for the server ${name} to start the device`);
  const [mounts, network] = [currentNamespace('mnt'), currentNamespace('net')];
  return askResident(resident(name), { op: 'start', device, mode, attempt, mounts, network }, signal);
}

function checked(options: ServeOptions): { name: string; wanted: ServerOptions } {
  const { name = DEFAULT_SERVER, ...others } = given<Partial<ServerOptions & { name: string }>>(options);
  const wanted = { ...SERVER_DEFAULTS, ...others };
  checkServerOptions(wanted);
  requireCpus(wanted.cpus);
  return { name: serverName(name), wanted };
}

/**
 * The options of the last server of that name, if it was killed: it had written them into its lock file. CPUs that have
 * gone offline since stay among them: the server does without, says so in its log, and hands them on to the next one.
 */
function keptOptions(name: string): ServerOptions {
  return parseServerOptions(readText(residentFiles(name).lock) ?? '');
}

/** By name: the last call of this process that starts the server if there is none, so that not all of them start one. */
const calls = new Map<string, Promise<void>>();

/** Starts the server if there is none of that name, with `options`, or else as the last one of that name was. */
export async function requireServer(name: string, waiting: WaitOptions, options: ServeOptions = {}): Promise<void> {
  const before = calls.get(name)?.catch(() => {});
  const call = Promise.resolve(before).then(() => startIfAbsent(name, waiting, options));
  calls.set(name, call);
  await call.finally(() => {
    if (calls.get(name) === call) calls.delete(name);
  });
}

async function startIfAbsent(name: string, waiting: WaitOptions, options: ServeOptions): Promise<void> {
  for (let tries = 1; !(await isRunning(name, waiting)); tries++) {
    try {
      const { threads, cpus } = options;
      // Only what is asked for now is checked: what was kept has been, and CPUs may have gone offline since.
      checked({ threads, cpus, name });
      const asked = given<Partial<ServerOptions>>({ threads, cpus });
      await launched(name, { ...keptOptions(name), ...asked }, waiting);
    } catch (error) {
      // Another process is starting it, and it does not listen yet.
      if (!(error instanceof UblkError) || error.code !== 'EEXIST' || tries === TRIES) throw error;
    }
  }
}

async function isRunning(name: string, { signal }: WaitOptions): Promise<boolean> {
  try {
    await askResident(resident(name), { op: 'status' }, signal);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Throws a UblkError that says how to start it, if there is no server of that name, as far as its socket tells. */
export function requireSocket(name: string): void {
  if (!existsSync(residentFiles(name).socket)) throw noServer(name);
}

/** Asks a resident server to let go of a `-b` device. */
export async function askResidentToQuiesce(name: string, device: number): Promise<void> {
  await askResident(resident(name), { op: 'quiesce', device });
}

/** Asks a resident server to end, as SIGTERM does. */
export async function askResidentToEnd(name: string, signal?: AbortSignal): Promise<void> {
  await askResident(resident(name), { op: 'end' }, signal);
}

function resident(name: string): ResidentServer {
  return { name, path: residentFiles(name).socket };
}
