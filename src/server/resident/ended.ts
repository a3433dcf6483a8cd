/**
 * The end of a resident server. SIGTERM, SIGINT and SIGHUP stop and delete the devices that nobody uses. With the last
 * device gone, the server ends; while one is in use, it goes on, and takes devices again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { readStack } from '../../targets/stack.ts';
import { startDel, stopUnused, whenAsked } from '../asked-to-end.ts';
import { log } from '../log.ts';
import type { ResidentDevices } from './devices.ts';

/** A device that was stopped leaves when its last requests are answered and its target is closed, which may take long. */
const REMIND_MS = 10_000;
const LOOK_MS = 20;

/** Resolves when the server was asked to end and has no device. */
export function ended(devices: ResidentDevices): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  whenAsked(async (signal) => {
    devices.isEnding = true;
    if (await stopAll(devices, signal)) await untilEmpty(devices).then(resolve);
    else devices.isEnding = false;
  });
  // A promise alone does not keep the process; its socket does.
  return promise;
}

/** Resolves to whether every device was stopped. */
async function stopAll({ ids }: ResidentDevices, signal: string): Promise<boolean> {
  log(`${signal}: the server ends when no device is in use`);
  const stopped: number[] = [];
  const stack = readStack();
  // A device that lies on another one is stopped before that one. When the stack cannot be read, stopUnused says why.
  const order = await stack.then(
    (read) => read.fromTheTop(ids).flat(),
    () => ids,
  );
  for (const id of order) {
    const refusal = await stopUnused(id, stack);
    if (refusal === null) stopped.push(id);
    else log(`device ${id} is in use and is served on: ${refusal}`);
  }
  if (stopped.length === 0) return ids.length === 0;
  log(`not in use, and deleted: ${stopped.length === 1 ? 'device' : 'devices'} ${stopped.join(', ')}`);
  // It waits until this process has let go of the devices, so this process must not wait for it.
  const del = startDel(stopped);
  del.on('error', (error) => log(`what is stopped is not deleted: ${error.message}`));
  del.unref();
  return stopped.length === ids.length;
}

/** All were stopped, so each leaves some time; the log says every REMIND_MS which ones have not. */
async function untilEmpty(devices: ResidentDevices): Promise<void> {
  for (let reminder = milliseconds() + REMIND_MS; !devices.isEmpty; await sleep(LOOK_MS)) {
    if (milliseconds() < reminder) continue;
    reminder = milliseconds() + REMIND_MS;
    log(`waiting for ${devices.ids.map((id) => `device ${id}`).join(', ')} to leave`);
  }
}
