/**
 * The end of a resident server. SIGTERM, SIGINT and SIGHUP stop and delete the devices that nobody uses. With the last
 * device gone, the server ends; while one is in use, it goes on, and takes devices again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { withinMs } from '../../control/waiting.ts';
import { readStack } from '../../targets/stack.ts';
import { DELETED_MS, deleteStopped, stopUnused, whenAsked } from '../asked-to-end.ts';
import { log } from '../log.ts';
import type { ResidentDevices } from './devices.ts';

/** A device that was stopped leaves when its last requests are answered and its target is closed, which may take long. */
const REMIND_MS = 10_000;
const LOOK_MS = 20;

/** Resolves when the server was asked to end and has no device. */
export function ended(devices: ResidentDevices): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const deletions: Promise<void>[] = [];
  whenAsked(async (signal) => {
    log(`${signal}: the server ends when no device is in use`);
    devices.isEnding = true;
    if (await untilEmpty(devices, deletions)) resolve();
    else devices.isEnding = false;
  });
  // A promise alone does not keep the process; its socket does.
  return promise;
}

/**
 * Stops what is served, and what is live only later because it was being started. Resolves to true when no device is left,
 * and to false when one is in use. The log says every REMIND_MS which ones are waited for: each start has a bound, and each
 * device that was stopped leaves some time.
 */
async function untilEmpty(devices: ResidentDevices, deletions: Promise<void>[]): Promise<boolean> {
  const leaving = new Set<number>();
  for (let reminder = milliseconds() + REMIND_MS; !devices.isEmpty; await sleep(LOOK_MS)) {
    for (const id of leaving) if (!devices.ids.includes(id)) leaving.delete(id);
    const served = devices.ids.filter((id) => !leaving.has(id));
    for (const id of served) leaving.add(id);
    if (served.length > 0 && !(await stopAll(devices, served, deletions))) return false;
    if (milliseconds() < reminder) continue;
    reminder = milliseconds() + REMIND_MS;
    log(`waiting for ${waitedFor(devices)}`);
  }
  // Whoever waits for the end of this server may give the ids to others.
  if (deletions.length > 0) log('no device is left; waiting for their ids to be free');
  await withinMs(Promise.all(deletions), DELETED_MS, undefined);
  return true;
}

/** Stops and deletes the devices that nobody uses. Resolves to whether they leave, all of them. */
async function stopAll(devices: ResidentDevices, ids: readonly number[], deletions: Promise<void>[]): Promise<boolean> {
  const stopped: number[] = [];
  const inUse: number[] = [];
  const stack = readStack();
  // A device that lies on another one is stopped before that one. When the stack cannot be read, stopUnused says why.
  const order = await stack.then(
    (read) => read.fromTheTop(ids).flat(),
    () => ids,
  );
  for (const id of order) {
    const outcome = await stopUnused(id, stack);
    if (outcome.kind === 'stopped') stopped.push(id);
    // It may have left while we asked.
    if (outcome.kind !== 'used' || !devices.ids.includes(id)) continue;
    inUse.push(id);
    log(`device ${id} is in use and is served on: ${outcome.reason}`);
  }
  if (stopped.length > 0) {
    log(`not in use, and deleted: ${stopped.length === 1 ? 'device' : 'devices'} ${stopped.join(', ')}`);
    deletions.push(deleteStopped(stopped, log));
  }
  return !inUse.some((id) => devices.ids.includes(id));
}

function waitedFor({ ids, starting }: ResidentDevices): string {
  return [
    ...ids.map((id) => `device ${id} to leave`),
    ...starting.map((id) => `device ${id}, which is being started`),
  ].join(', ');
}
