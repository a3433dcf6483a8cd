/**
 * `del`: stops the device, waits for its server and its users to leave, and removes everything that it left in /run.
 *
 * Whoever would lose data (a mount, swap, a device made of it) is looked for first, and nothing is stopped then unless it
 * is forced. Programs that have the device open get errors, as with kublk; one that stays is named, and the device is
 * shown as going until it is gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claimant, describeHolders, type Holder, toRelease } from '../../block/holder.ts';
import { milliseconds } from '../../clock.ts';
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { type DevInfo, getDevInfo, removeDev } from '../../control/commands.ts';
import { findDevices, isThere } from '../../control/discovery.ts';
import { type DiskNumbers, diskNumbers } from '../../control/sysfs.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions, waitingReporter } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { type Kinds, optional, SWITCH } from '../../kinds.ts';
import { endLeftOver } from '../../program/left-over.ts';
import { UBLK_S_DEV_LIVE } from '../../native/uapi/ublk-device.ts';
import { filesOf } from '../../record/files.ts';
import { forgetIfGone, type GoingDevice, goingIds, readGoingDevice } from '../../record/going-device.ts';
import { describePause, describeThaw, isPaused } from '../../record/paused.ts';
import { isServing, type ProcessState, readProcess } from '../../record/process-state.ts';
import { isServerAlive, type ServerIdentity, serverOf, serverState } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { UblkStack } from '../../targets/stack.ts';
import { ClosingTarget, type Ended, ending, TARGET_CLOSES_MS } from './closing-target.ts';
import { GoingMark } from './going-mark.ts';
import { findHolders } from './holders/going.ts';
import { goneDiskNumbers } from './holders/gone-disk.ts';
import { claimantsOf, refuseClaims } from './holders/refuse.ts';
import { refuseUnseen } from './holders/unseen.ts';
import { inParallel } from '../in-parallel.ts';
import { isGone } from '../is-gone.ts';
import { patiently } from '../patiently.ts';

export interface DeleteOptions extends WaitOptions {
  /** Delete it even if a mount, swap or a device made of it would lose data. */
  readonly force?: boolean | undefined;
}

const OPTIONS: Kinds = { force: optional(SWITCH) };

/** How long the last users may take after the server has left. */
const USERS_LEAVE_MS = 30_000;
/** A user that has done nothing for this long since the device stopped will not leave by itself. */
const QUIET_MS = 2_000;
const LOOK_MS = 250;
/** The kernel deletes one device at a time (Linux 7.3). Only the waits for servers and users overlap. */
const AT_ONCE = 8;
const DELETED: Ended = { done: 'deleted', command: 'DEL_DEV' };

/**
 * Resolves when the id is free and the server has closed the target. Throws a UblkError of kind `busy` when someone uses
 * the device: before anything is stopped if data would be lost; otherwise the device is stopped and goes when its last
 * user does. Throws one of kind `failed` when the device is gone and its target could not be closed: what the target had
 * not stored is lost. `timeoutMs` bounds the wait for the driver (default 30 s) and for the target (40 s). A program that keeps
 * the device open and does nothing is waited for 2 s, which `timeoutMs` can only shorten.
 */
export async function deleteDevice(id: number, options: DeleteOptions = {}): Promise<void> {
  requireDeviceId(id);
  requireWaiting(options, OPTIONS);
  await withControl((channel) => remove(channel, id, options, new UblkStack(channel)));
}

export interface Deletions {
  /** The ids of the devices that are gone, in order. */
  readonly deleted: number[];
  /** One error for each device that is not. */
  readonly failed: UblkError[];
}

/**
 * Deletes every ublk device, whoever made it, several at a time, but none before those that lie on it. A failure of one does
 * not end it.
 */
export async function deleteAllDevices(options: DeleteOptions = {}): Promise<Deletions> {
  requireWaiting(options, OPTIONS);
  const outcome: Deletions = { deleted: [], failed: [] };
  const ids = [...new Set([...findDevices(), ...goingIds()])];
  // Where there is no driver there are no devices, and that is no error.
  if (ids.length === 0) return outcome;
  await withControl(async (channel) => {
    const stack = new UblkStack(channel);
    for (const group of stack.fromTheTop(ids)) {
      await inParallel(group, AT_ONCE, async (id) => {
        try {
          options.signal?.throwIfAborted();
          await remove(channel, id, options, stack);
          outcome.deleted.push(id);
        } catch (error) {
          options.signal?.throwIfAborted();
          if (!(error instanceof UblkError)) throw error;
          if (error.kind !== 'no-device') outcome.failed.push(error);
        }
      });
    }
  });
  outcome.deleted.sort((a, b) => a - b);
  return outcome;
}

async function remove(channel: ControlChannel, id: number, options: DeleteOptions, stack: UblkStack): Promise<void> {
  const mark = new GoingMark(id);
  const left = readGoingDevice(id);
  if (left !== null && isGone(channel, id)) {
    // Whoever deleted it has not waited for its server, or has not removed its files.
    const last = serverOf(left.serverPid ?? -1, readRecord(id));
    return await untilForgotten(channel, id, mark, last, options, () => Promise.resolve());
  }
  const info = getDevInfo(channel, id);
  const going = isThere(id) ? null : left;
  const known = going ?? diskNumbers(id);
  // After `stop` there is no disk in sysfs, and its users must be named all the same.
  const numbers = known.devices.length > 0 ? known : { ...known, devices: goneDiskNumbers(id) };
  const server = serverNow(info, going);
  await untilForgotten(channel, id, mark, server, options, async () => {
    if (going === null) {
      const claimants = claimantsOf(id, numbers, stack);
      if (options.force !== true && known.devices.length > 0) refuseClaims(id, claimants);
      await endProgram(info, options);
      if (options.force !== true && info.state === UBLK_S_DEV_LIVE) await stopUnopened(info, options);
      await stopAndRemove(info, mark, numbers, claimants, options);
    }
    await untilGone(channel, id, mark, server, numbers, options);
  });
}

/** `act` makes the device go. Then waits until its server has closed the target, and removes its files. */
async function untilForgotten(
  channel: ControlChannel,
  id: number,
  mark: GoingMark,
  server: ServerIdentity,
  options: DeleteOptions,
  act: () => Promise<void>,
): Promise<void> {
  const target = new ClosingTarget(id, () => mark.isReplaced());
  let unstored: UblkError | null;
  try {
    await act();
    unstored = await target.untilClosed(server, DELETED, options);
  } finally {
    target.release();
  }
  const unforgotten = await forgetIfGone(id, () => isGone(channel, id)).then(
    () => null,
    (error: unknown) => filesStay(id, error),
  );
  if (unstored !== null) throw unstored;
  if (unforgotten !== null) throw unforgotten;
}

function filesStay(device: number, error: unknown): unknown {
  if (!(error instanceof UblkError) || error.kind === 'busy') return error;
  const { message, code, kind, hint, command = 'unlink' } = error;
  const later = '`ublkts doctor --fix` removes the files of devices that are gone';
  return new UblkError(`device ${device} is deleted, but ${message}`, {
    code,
    kind,
    command,
    device,
    hint: hint === undefined ? later : `${hint}; then ${later}`,
    cause: error,
  });
}

/** The kernel names no server of a device that is stopped, whose server may still close the target. */
function serverNow({ dev_id: id, ublksrv_pid: pid }: DevInfo, going: GoingDevice | null): ServerIdentity {
  const record = readRecord(id);
  if (pid > 0) return serverOf(pid, record);
  const known = record?.server ?? null;
  return known !== null && isServerAlive(known) ? known : serverOf(going?.serverPid ?? pid, record);
}

/** Ends what a dead server has left of its program. After the device is gone, the id and the folder may be a new device's. */
async function endProgram({ dev_id: id, ublksrv_pid: serverPid }: DevInfo, { onWaiting }: WaitOptions): Promise<void> {
  if (isServing(serverState(serverOf(serverPid, readRecord(id))))) return;
  await endLeftOver(filesOf(id).program, onWaiting);
}

/** Throws if somebody has it open whom nothing but the driver knows. Nobody may have it open: it is stopped then. */
async function stopUnopened({ dev_id: id, ublksrv_pid: serverPid }: DevInfo, options: WaitOptions): Promise<void> {
  const stuck = { command: 'TRY_STOP_DEV', device: id, serverPid, after: 'the device stops then' };
  await patiently(stuck, options, (apart) => refuseUnseen(id, apart));
}

async function stopAndRemove(
  info: DevInfo,
  mark: GoingMark,
  numbers: DiskNumbers,
  claimants: readonly Claimant[],
  options: WaitOptions,
): Promise<void> {
  const { dev_id: id, ublksrv_pid: serverPid } = info;
  const { devices, charDevice } = numbers;
  const stacked = claimants.filter((claimant) => claimant.kind === 'device');
  mark.write({ since: new Date().toISOString(), serverPid, devices, charDevice, stacked });
  const stuck = { command: 'STOP_DEV', device: id, serverPid, after: 'it is deleted then' };
  try {
    await patiently(stuck, options, (apart) => removeDev(id, apart));
  } catch (error) {
    // When the caller has given up, or the time has run out, the driver still deletes the device.
    const isLeftBehind = options.signal?.aborted === true || (error instanceof UblkError && error.code === 'TIMEOUT');
    // Where another process has deleted it meanwhile, the mark is left for whoever removes its files.
    if (error instanceof UblkError && !isLeftBehind && error.kind !== 'no-device') mark.remove();
    throw error;
  }
}

/** The kernel keeps the id until the server has closed the char device and the last user the block device. */
async function untilGone(
  channel: ControlChannel,
  id: number,
  mark: GoingMark,
  server: ServerIdentity,
  numbers: DiskNumbers,
  { signal, onWaiting, timeoutMs }: WaitOptions,
): Promise<void> {
  const limit = (ms: number): number => Math.min(ms, timeoutMs ?? ms);
  const report = waitingReporter(onWaiting);
  const begun = milliseconds();
  /** Until when the server has had the device. */
  let serverLeft = begun;
  const users = new Users(id, numbers);
  for (let pause = 1; !(isGone(channel, id) || mark.isForgotten()); pause = Math.min(pause * 1.5, 50)) {
    signal?.throwIfAborted();
    const now = milliseconds();
    const waited = now - begun;
    const state = serverState(server);
    if (isServing(state)) {
      serverLeft = now;
      report(`waiting for the server (pid ${server.pid}) to close the target`);
      const bound = isPaused(state) ? QUIET_MS : TARGET_CLOSES_MS;
      if (waited > limit(bound)) throw serverStays(id, server, state);
    } else if (waited > LOOK_MS) {
      const holders = users.look();
      if (holders.length > 0) report(`waiting for device ${id} to be released: ${describeHolders(holders)}`);
      if (holders.length > 0 && users.quietMs() > limit(QUIET_MS)) throw usersStay(id, holders);
      if (now - serverLeft > limit(USERS_LEAVE_MS)) throw usersStay(id, holders);
    }
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** Those who hold a device that has been stopped, looked at now and then. */
class Users {
  readonly #device: number;
  readonly #numbers: DiskNumbers;
  #holders: Holder[] = [];
  #lookedAt = -Infinity;
  /** Processor time that the holders have used: one that gets errors and is about to leave uses some. */
  #ticks = -1;
  #quietSince = milliseconds();

  constructor(device: number, numbers: DiskNumbers) {
    this.#device = device;
    this.#numbers = numbers;
  }

  look(): Holder[] {
    const now = milliseconds();
    if (now - this.#lookedAt < LOOK_MS) return this.#holders;
    this.#lookedAt = now;
    this.#holders = findHolders(this.#device, this.#numbers);
    const ticks = this.#holders.reduce((sum, holder) => sum + ticksOf(holder), 0);
    if (ticks !== this.#ticks) this.#quietSince = now;
    this.#ticks = ticks;
    return this.#holders;
  }

  quietMs(): number {
    return milliseconds() - this.#quietSince;
  }
}

function ticksOf(holder: Holder): number {
  return holder.kind === 'process' ? holder.pid + readProcess(holder.pid).ticks : 1;
}

function serverStays(device: number, server: ServerIdentity, state: ProcessState): UblkError {
  const message = isPaused(state)
    ? `device ${device} is stopped, but its server (pid ${server.pid}) ${describePause(state)} and does not close the target`
    : `device ${device} is stopped, but its server (pid ${server.pid}) has not closed the target yet`;
  return new UblkError(`${message}; the device is deleted when it has`, {
    code: 'TIMEOUT',
    kind: 'busy',
    device,
    command: 'DEL_DEV',
    hint: isPaused(state) ? describeThaw(server.pid, state) : ending(device, server),
  });
}

function usersStay(device: number, holders: readonly Holder[]): UblkError {
  const [first] = holders;
  const why = first === undefined ? 'the kernel does not let go of it' : `it is still ${describeHolders(holders)}`;
  return new UblkError(`device ${device} is stopped, but ${why}; it is deleted when that ends`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    command: 'DEL_DEV',
    hint: first === undefined ? 'see `dmesg`' : toRelease(first),
  });
}
