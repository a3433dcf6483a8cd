/**
 * `recover`: gives a device whose server is gone a new one. The device's record says what it is, the caller may change
 * some of it, and the kernel has the last word on what it has fixed. A recovery that fails leaves the device recoverable.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { withControl } from '../../control/channel.ts';
import { type DevInfo, getDevInfo, startUserRecovery } from '../../control/commands.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_LIVE } from '../../native/uapi/ublk-device.ts';
import { UBLK_F_USER_RECOVERY } from '../../native/uapi/ublk-features.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { ownedBy } from '../../record/ownership.ts';
import { readProcess } from '../../record/process-state.ts';
import { residentFiles } from '../../record/files.ts';
import { isServerAlive, serverOf } from '../../record/server-identity.ts';
import { readRecord, writeRecord } from '../../record/store.ts';
import { checkDescriptors, descriptorNeeds } from '../../server/descriptor-budget.ts';
import { checkGivenValues } from '../../spec/checks/values.ts';
import type { Feature } from '../../spec/features.ts';
import { given, type OrUndefined } from '../../spec/given.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../spec/options.ts';
import type { FoundFile } from '../../targets/looks.ts';
import { addCommand } from './add-command.ts';
import { exclusively } from './device-lock.ts';
import { otherDisks } from './other-disks.ts';
import { type Plan, planRecovery } from './plan.ts';
import type { ServerProcess } from '../servers/launch.ts';
import { describeDevice } from '../report/list.ts';
import type { StartedDevice } from '../report/report.ts';
import { type Kept, newRecord } from '../new-record.ts';
import { pathsAmong, placesOf } from '../places.ts';
import { requireCpus } from '../require-cpus.ts';
import { requireFiles } from '../require-files.ts';
import { requireServedBelow, requireUnserved } from '../require-unserved.ts';
import { requireServer, startOn } from '../servers/serve.ts';

/** After a server was killed, the kernel needs a moment to release the device. One that is well is not waited for as long. */
const SERVER_LEAVES_MS = 5_000;
const SEEN_SERVING_MS = 500;

/**
 * Gives a device whose server is gone a new one. Resolves when the device is live. `overrides` replaces what is remembered of the
 * device; its queues, depth, largest request, features and data path stay as they are, and `notes` of the result names
 * what was asked for in vain. Throws a UblkError of kind `busy` for a device that is served or is being recovered by another
 * call, and of kind `failed` for one that cannot be recovered: it was made without recovery, or was stopped. After an error the
 * device is as it was.
 */
export async function recoverDevice(
  id: number,
  overrides: OrUndefined<Partial<AddOptions>> = {},
  waiting: WaitOptions = {},
): Promise<StartedDevice> {
  const server = await startRecovery(id, given<Partial<AddOptions>>(overrides), waiting);
  server.release();
  return { ...(await describeDevice(id)), notes: [...server.notes] };
}

/**
 * Does what recoverDevice does, and leaves the server's process in the caller's hands. START_USER_RECOVERY would admit
 * two at once, and the one that is later to open the char device would overwrite the other's record.
 */
export function startRecovery(
  id: number,
  overrides: Partial<AddOptions>,
  waiting: WaitOptions = {},
): Promise<ServerProcess> {
  requireDeviceId(id);
  checkGivenValues(overrides);
  requireWaiting(waiting);
  return exclusively(id, 'recover', () => startAlone(id, overrides, waiting));
}

async function startAlone(id: number, overrides: Partial<AddOptions>, waiting: WaitOptions): Promise<ServerProcess> {
  const info = await withControl((channel) => getDevInfo(channel, id));
  const before = ownedBy(info, readRecord(id));
  requireRecoverable(info, before);
  const plan = await planRecovery(info, before, overrides, waiting.signal);
  // Remembered CPUs may have gone offline, so only CPUs that were named now are required.
  requireCpus(overrides.cpus ?? []);
  const files = await requireStorage(id, plan, waiting);
  const places = await placesOf(pathsAmong(plan.options.target, plan.options.targetOptions));
  await startUserRecoveryWhenFree(info, waiting);
  const { reference, spec } = plan;
  const { targetOptions, integrity } = plan.options;
  const asked = { ...ADD_DEFAULTS, ...before?.options, ...overrides, target: reference, targetOptions, integrity };
  const record = newRecord({ id, options: asked, spec, files, places }, keptOf(before));
  const { attempt } = record;
  writeRecord(record);
  try {
    const { target } = plan.options;
    const server = await startOn(spec.server, { device: id, mode: 'recover', attempt, target }, waiting);
    const notes = [...(plan.kept === null ? [] : [plan.kept]), ...otherDisks(before, files), ...server.notes];
    return { ...server, notes };
  } catch (error) {
    // The old record allows another try, with or without the options that failed.
    if (before !== null && (await hasNoServer(id))) restore(before);
    throw error;
  }
}

/** Throws a UblkError unless the files are there and free, and the server can have the device. Resolves to the files. */
async function requireStorage(id: number, { options, spec, target }: Plan, waiting: WaitOptions): Promise<FoundFile[]> {
  await withControl((channel) => requireServedBelow(channel, options));
  const files = await requireFiles(options.files, waiting, id);
  await withControl((channel) => requireUnserved(channel, options, files));
  if (spec.server === null) checkDescriptors(descriptorNeeds(spec, target));
  else await requireServer(spec.server, waiting);
  return files;
}

/** What stays of the record before; null for a device that another program has made. */
function keptOf(before: DeviceRecord | null): Kept {
  return {
    server: before?.server ?? null,
    generation: (before?.generation ?? 0) + 1,
    recorded: before !== null,
    buffers: before?.buffers ?? [],
    unsettled: before?.unsettled ?? null,
  };
}

/** Where this fails, the record of the recovery stays, which can be tried again as well. The first error is the one to report. */
function restore(record: DeviceRecord): void {
  try {
    writeRecord(record);
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
  }
}

async function startUserRecoveryWhenFree(info: DevInfo, waiting: WaitOptions): Promise<void> {
  const id = info.dev_id;
  const began = milliseconds();
  for (;;) {
    try {
      await startUserRecovery(id, waiting);
      return;
    } catch (error) {
      if (!(error instanceof UblkError) || error.code !== 'EBUSY') throw error;
      const waited = milliseconds() - began;
      if (waited > SERVER_LEAVES_MS) throw isServed(info) ? await stillServed(id) : error;
      if (waited > SEEN_SERVING_MS && isServed(info)) await requireNotLive(id);
    }
    if (!isServed(info)) waiting.onWaiting?.(`waiting for the server (pid ${info.ublksrv_pid}) to leave`);
    await sleep(20);
    waiting.signal?.throwIfAborted();
  }
}

function isServed({ dev_id, ublksrv_pid }: DevInfo): boolean {
  return isServerAlive(serverOf(ublksrv_pid, readRecord(dev_id)));
}

/** The kernel decides what is recovered. These are the devices of which its answer is known, and says too little. */
function requireRecoverable(info: DevInfo, record: DeviceRecord | null): void {
  const { dev_id: id, state } = info;
  const recoverable = (info.flags & UBLK_F_USER_RECOVERY) !== 0n;
  if (!recoverable && state === UBLK_S_DEV_LIVE && isServed(info)) throw healthy(info);
  if (recoverable && state !== UBLK_S_DEV_DEAD) return;
  const why = recoverable
    ? 'was stopped: there is nothing to recover'
    : 'was made without recovery and cannot be recovered';
  throw new UblkError(`device ${id} ${why}`, {
    code: recoverable ? 'EBUSY' : 'EINVAL',
    kind: 'failed',
    device: id,
    command: 'START_USER_RECOVERY',
    hint: `delete it and add it again: \`ublkts del -n ${id} && ${addAgain(record)}\``,
  });
}

/** The command that makes such a device again, so that it can be recovered the next time. */
function addAgain(record: DeviceRecord | null): string {
  if (record === null) return 'ublkts add -t TARGET -i 1 FILES...';
  const { options } = record;
  const features: readonly Feature[] = options.features.includes('USER_RECOVERY')
    ? options.features
    : [...options.features, 'USER_RECOVERY', 'USER_RECOVERY_REISSUE'];
  // The record may be older than some of the options.
  return addCommand({ ...ADD_DEFAULTS, ...options, features });
}

async function requireNotLive(id: number): Promise<void> {
  const info = await withControl((channel) => getDevInfo(channel, id));
  if (info.state === UBLK_S_DEV_LIVE && !readProcess(info.ublksrv_pid).exiting) throw healthy(info);
}

/** The old server keeps the device: because nothing is wrong with it, or because it has not let go of it yet. */
async function stillServed(id: number): Promise<UblkError> {
  const info = await withControl((channel) => getDevInfo(channel, id));
  if (info.state === UBLK_S_DEV_LIVE) return healthy(info);
  const { pid, resident } = serverOf(info.ublksrv_pid, readRecord(id));
  return new UblkError(`device ${id} cannot be recovered yet: its server (pid ${pid}) is still there`, {
    code: 'EBUSY',
    device: id,
    command: 'START_USER_RECOVERY',
    hint:
      resident === undefined
        ? `end that process: \`kill -9 ${pid}\``
        : `that is the resident server ${resident}, and it still has the device: see ${residentFiles(resident).log}`,
  });
}

function healthy({ dev_id: id, ublksrv_pid: pid, flags }: DevInfo): UblkError {
  const replaceable = (flags & UBLK_F_USER_RECOVERY) !== 0n;
  return new UblkError(`device ${id} is live and served by pid ${pid}; there is nothing to recover`, {
    code: 'EBUSY',
    device: id,
    command: 'START_USER_RECOVERY',
    hint: replaceable
      ? `to give it another server all the same: \`ublkts quiesce -n ${id} && ublkts recover -n ${id}\``
      : `\`ublkts list -n ${id}\` shows it`,
  });
}

/** False also for a device that has been deleted meanwhile: what failed before that is what to report. */
async function hasNoServer(id: number): Promise<boolean> {
  try {
    return (await withControl((channel) => getDevInfo(channel, id))).state !== UBLK_S_DEV_LIVE;
  } catch {
    return false;
  }
}
