/**
 * Starts a hand: a small process that makes a call which may keep it in the kernel for ever. A process that waits there can
 * neither return nor exit, not even by SIGKILL; so the process that answers to a person or to a program has the call made by a
 * hand, and leaves that behind when it gives up the wait.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { packagePath } from '../../package-root.ts';
import { checked, closeDescriptor, keepDescriptors } from '../libc/calls.ts';
import { spawnFailure } from '../shortage.ts';
import { MFD_CLOEXEC } from '../uapi/mman.ts';
import { handProgram, hasHandProgram } from './program.ts';
import type { HandTask } from './task.ts';

export interface HandOptions {
  /** The command line that `ps` shows for the process. */
  readonly title: string;
  /** The descriptors that it gets, from number 3 on. */
  readonly descriptors?: readonly number[];
}

/** Starts a hand. The caller waits for its end, or calls `unref()` to leave it behind. */
export function startHand(task: HandTask, { title, descriptors = [] }: HandOptions): ChildProcess {
  const options: Spawned = {
    // A Ctrl-C is for the process that asked.
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', ...descriptors],
    env: {},
  };
  keepDescriptors();
  try {
    return startProgram(task, { ...options, argv0: title }) ?? startNode(task, options);
  } catch (error) {
    throw spawnFailure(error);
  }
}

interface Spawned {
  readonly detached: boolean;
  readonly cwd: string;
  readonly stdio: ('ignore' | number)[];
  readonly env: NodeJS.ProcessEnv;
  readonly argv0?: string;
}

/** Undefined where a file in memory may not be executed (sysctl vm.memfd_noexec, a security module), or cannot be made. */
function startProgram(task: HandTask, options: Spawned): ChildProcess | undefined {
  if (!hasHandProgram(process.arch)) return undefined;
  let file = -1;
  try {
    file = checked('memfd_create', 'ublkts-hand', 'ublkts-hand', MFD_CLOEXEC);
    writeSync(file, handProgram(task));
    // The child opens it by the number that it has there: the last one of those it is given.
    const stdio = [...options.stdio, file];
    const hand = spawn(`/proc/self/fd/${stdio.length - 1}`, [], { ...options, stdio });
    if (hand.pid !== undefined) return hand;
    // The error is told again by an event, which has to have a listener.
    hand.on('error', () => {});
    return undefined;
  } catch {
    // There are errors that spawn throws at once, for instance ENOMEM.
    return undefined;
  } finally {
    if (file >= 0) closeDescriptor(file);
  }
}

function startNode(task: HandTask, options: Spawned): ChildProcess {
  return spawn(process.execPath, [packagePath('dist/native/hand/main.cjs'), JSON.stringify(task)], options);
}

/** Resolves to the exit code of a hand when it has ended: null if a signal has ended it. Rejects if it was not started, with a UblkError. */
export async function endOf(hand: ChildProcess): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  hand.once('exit', resolve);
  hand.once('error', (error) => reject(spawnFailure(error)));
  return promise;
}
