/**
 * SIGTERM, SIGINT and SIGHUP: a device that nobody uses is stopped and deleted, and one in use is served on. Both
 * commands are given by other processes: a server that is killed while it waits for STOP_DEV itself could not die.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findClaims } from '../block/claims.ts';
import { describeClaim, describeHolders } from '../block/holder.ts';
import { findOpeners } from '../block/openers.ts';
import { tryStopDev } from '../control/commands.ts';
import { diskNumbers } from '../control/sysfs.ts';
import { withinMs } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import { packagePath } from '../package-root.ts';
import { readStack, type UblkStack } from '../targets/stack.ts';
import { asOthersForOutOfMemoryKiller } from './out-of-memory.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** A program that only looks at a device, as udev does, has closed it by the next try. */
const TRIES = 3;
const RETRY_MS = 300;
/** How long a server stays for the `del` of its devices, whose ids are free then. Somebody may keep one open that has left. */
export const DELETED_MS = 10_000;

export type Log = (text: string) => void;

/**
 * Catches the signals from now on. Before, they end the process. Returns what is to be awaited once the device has left this
 * process: it resolves when the id of a device that was deleted is free, so that whoever waits for the end of this process may
 * give it to others.
 */
export function endWhenAsked(device: number, log: Log): () => Promise<void> {
  let ending = Promise.resolve();
  whenAsked((signal) => (ending = end(device, signal, log)));
  return () => withinMs(ending, DELETED_MS, undefined);
}

/** Calls `act` for each signal that asks this process to end. Signals that come while `act` is running are ignored. */
export function whenAsked(act: (signal: string) => Promise<void>): void {
  let busy = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (busy) return;
      busy = true;
      void act(signal).finally(() => (busy = false));
    });
  }
}

async function end(device: number, signal: string, log: Log): Promise<void> {
  const outcome = await stopUnused(device, readStack());
  if (outcome.kind === 'used') {
    log(`${signal}: device ${device} is in use and is served on: ${outcome.reason}`);
    return;
  }
  if (outcome.kind === 'leaves') {
    log(`${signal}: device ${device} is stopped or deleted already`);
    return;
  }
  log(`${signal}: device ${device} is not in use: it is stopped and deleted`);
  await deleteStopped([device], log);
}

/** `leaves`: somebody else has stopped or deleted the device, so it leaves its server without us. */
export type StopOutcome = { readonly kind: 'stopped' | 'leaves' } | { readonly kind: 'used'; readonly reason: string };

/** Stops the device unless it is in use. `stack` says which devices lie on others. */
export async function stopUnused(device: number, stack: Promise<UblkStack>): Promise<StopOutcome> {
  try {
    return await stopOrRefuse(device, await stack);
  } catch (error) {
    return used(`it cannot be known who uses it: ${(error as Error).message}`);
  }
}

async function stopOrRefuse(device: number, stack: UblkStack): Promise<StopOutcome> {
  for (let tries = 1; ; tries++) {
    const [claim] = findClaims(diskNumbers(device).devices);
    if (claim !== undefined) return used(describeClaim(claim));
    const [upper] = stack.on(device);
    const outcome = upper === undefined ? await tryToStop(device) : used(`ublkb${device} is used by ublkb${upper}`);
    if (outcome.kind !== 'used' || tries === TRIES) return outcome;
    await sleep(RETRY_MS);
  }
}

async function tryToStop(device: number): Promise<StopOutcome> {
  try {
    await tryStopDev(device);
    return { kind: 'stopped' };
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
    // The kernel is older than TRY_STOP_DEV, and what would lose data has been looked for.
    if (error.kind === 'unsupported') return { kind: 'stopped' };
    // Since we looked, it was deleted; or it was stopped, and a device that is DEAD has no disk that the driver could stop.
    if (error.kind === 'no-device') return { kind: 'leaves' };
    const openers = findOpeners(diskNumbers(device).devices, null);
    return used(openers.length === 0 ? error.message : `it is ${describeHolders(openers)}`);
  }
}

function used(reason: string): StopOutcome {
  return { kind: 'used', reason };
}

/**
 * Resolves when they are deleted, or cannot be. The `del` that is started waits until this process has let go of the devices, so
 * this process may wait for it only after that.
 */
export function deleteStopped(devices: readonly number[], log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const undeleted = (error: Error): void => {
    log(
      `${devices.length === 1 ? 'device' : 'devices'} ${devices.join(', ')}: stopped, but not deleted: ${error.message}`,
    );
    resolve();
  };
  try {
    const del = startDel(devices);
    del.on('error', undeleted);
    del.on('exit', () => resolve());
    del.unref();
  } catch (error) {
    // Node throws some errors of a start (ENOMEM) at once.
    undeleted(error as Error);
  }
  return promise;
}

/** Starts `del` in a session of its own, so that what ends this process does not end it. */
function startDel(devices: readonly number[]): ChildProcess {
  const child = spawn(process.execPath, [packagePath('bin/run.js'), 'del', ...devices.map(String)], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  asOthersForOutOfMemoryKiller(child.pid);
  return child;
}
