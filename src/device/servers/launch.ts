/** Starts servers: of one device, and resident ones. */
import { existsSync, readlinkSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WaitOptions } from '../../control/waiting.ts';
import { hasCapability } from '../../native/capabilities.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import { errnoText } from '../../native/uapi/errno.ts';
import { filesOf, makeRunDirectories, residentFiles } from '../../record/files.ts';
import { removeFile } from '../../record/run-files.ts';
import { isServerLockHeld } from '../../record/server-lock.ts';
import type { StartMode } from '../../server/serving.ts';
import { RESIDENT_START_FLAGS, START_FLAGS } from '../../server/v8-flags.ts';
import type { ServerOptions } from '../../spec/server-options.ts';
import { diedError, type Ending } from './ending.ts';
import { KILLED_MS, type Program, start } from './server-process.ts';

export interface ServerProcess {
  readonly device: number;
  readonly pid: number;
  readonly notes: readonly string[];
  /** Lets this process end while the server goes on. */
  release(): void;
  /** Resolves when the server's process has ended, however. */
  readonly ended: Promise<Ending>;
}

export interface Launch {
  readonly device: number;
  readonly mode: StartMode;
  /** The call that starts it, as in the device's record. */
  readonly attempt: string;
  /** The name of a built-in target, or the absolute path of a file. */
  readonly target: string;
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
