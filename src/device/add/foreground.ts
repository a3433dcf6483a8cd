/**
 * `--foreground`: this process stays until the device is gone; Ctrl-C stops the device and deletes it. While the device is
 * being made, the caller's signal gives it up, and nothing is left. A caller that is ended by Ctrl-C itself would leave the
 * server, which is in a session of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startDevice } from './add.ts';
import type { ServerProcess } from '../servers/launch.ts';
import { startRecovery } from '../recover/recover.ts';
import { findClaims } from '../../block/claims.ts';
import { describeClaim } from '../../block/holder.ts';
import { diskNumbers } from '../../control/sysfs.ts';
import type { WaitOptions } from '../../control/waiting.ts';
import { deleteDevice } from '../remove/delete.ts';
import { stopDisk } from '../remove/stop.ts';
import { readStack } from '../../targets/stack.ts';
import { describeDevice } from '../report/list.ts';
import type { AddOptions } from '../../spec/options.ts';
import type { StartedDevice } from '../report/report.ts';
import { UblkError, usageError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';

/** Programs such as udev open a device for a moment. */
const OPENERS_LEAVE_MS = 2_000;
const LOOK_MS = 100;

/** `onReady` gets the live device. Resolves when the device is gone, rejects when its server died. */
export async function runForeground(options: AddOptions, onReady: OnReady, waiting: WaitOptions = {}): Promise<void> {
  if (options.server !== null) throw notForeground();
  await stay(await startDevice(options, waiting), onReady, waiting);
}

/** The same for `recover --foreground`. */
export async function recoverForeground(
  id: number,
  overrides: Partial<AddOptions>,
  onReady: OnReady,
  waiting: WaitOptions = {},
): Promise<void> {
  if (typeof overrides.server === 'string') throw notForeground();
  // A device that a resident server had gets a process of its own.
  await stay(await startRecovery(id, { ...overrides, server: null }, waiting), onReady, waiting);
}

type OnReady = (device: StartedDevice) => void;

async function stay(server: ServerProcess, onReady: OnReady, { signal: givenUp }: WaitOptions): Promise<void> {
  let asked = false;
  // Another process than the server, as STOP_DEV wants (server/serve-device.ts).
  const stop = () => {
    if (asked) return;
    asked = true;
    deleteUnused(server.device).catch((error: unknown) => {
      asked = false;
      say((error as Error).message);
    });
  };
  // A terminal that is closed takes its output with it, and not the device.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  // The device was live when the signal came, and nobody had seen that yet.
  if (givenUp?.aborted === true) stop();
  try {
    onReady({ ...(await describeDevice(server.device)), notes: [...server.notes] });
    const ending = await server.ended;
    if (ending.signal !== null && !asked) {
      throw new UblkError(`the server of device ${server.device} was ended by ${ending.signal}`, {
        code: 'SERVER_DIED',
        device: server.device,
        cause: ending,
        hint: `\`ublkts recover -n ${server.device}\` if the device can be recovered, \`ublkts del -n ${server.device}\` if not`,
      });
    }
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

/** A device in use is served on: whoever has it open would lose data. */
async function deleteUnused(device: number): Promise<void> {
  const [claim] = findClaims(diskNumbers(device).devices);
  if (claim !== undefined) throw inUse(device, describeClaim(claim));
  const [upper] = (await readStack()).on(device);
  if (upper !== undefined) throw inUse(device, `ublkb${device} is used by ublkb${upper}`);
  for (let waited = 0; !(await isStopped(device)); waited += LOOK_MS) {
    if (waited >= OPENERS_LEAVE_MS) throw inUse(device, 'something has it open');
    await sleep(LOOK_MS);
  }
  await deleteDevice(device);
}

/** Stops the device; false: something has it open. */
async function isStopped(device: number): Promise<boolean> {
  try {
    await stopDisk(device, { safe: true });
  } catch (error) {
    if (error instanceof UblkError && error.kind === 'busy') return false;
    // A driver without TRY_STOP_DEV: what would lose data has been looked for.
    if (!(error instanceof UblkError) || error.kind !== 'unsupported') throw error;
  }
  return true;
}

function notForeground(): UblkError {
  return usageError(
    ['a device that a resident server serves (', option('server'), ') has no foreground'],
    'start the server itself in the foreground: `ublkts serve --foreground`',
  );
}

function inUse(device: number, why: string): UblkError {
  return new UblkError(`device ${device} is in use and is served on: ${why}`, { code: 'EBUSY', device });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
