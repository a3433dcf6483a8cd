/** `add`: everything that can be checked is checked before the kernel is asked; a failure leaves no device behind. */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { type ControlChannel, withControl } from '../../control/channel.ts';
import { addDev, delDev, type DevInfo, getFeatures } from '../../control/commands.ts';
import { blockDeviceNode } from '../../control/device-node.ts';
import { findDevices } from '../../control/discovery.ts';
import { requireWaiting, unlessAborted, type WaitOptions, withinMs } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { isUnstarted } from '../../native/shortage.ts';
import type { Place } from '../../record/device-record.ts';
import { withFilesAlone } from '../../record/files-alone.ts';
import { forgetDevice, writeRecord } from '../../record/store.ts';
import { openSharedFile } from '../../server/shared-memory/shared-file.ts';
import { checkDescriptors, descriptorNeeds } from '../../server/descriptor-budget.ts';
import { checkValues } from '../../spec/checks/values.ts';
import { type DeviceSpec, featuresOf } from '../../spec/device-spec.ts';
import { FeatureSet } from '../../spec/features.ts';
import { ADD_DEFAULTS, type AddOptions, type AddRequest } from '../../spec/options.ts';
import { type Granted, resolve } from '../../spec/resolve.ts';
import type { TargetTraits } from '../../spec/target-traits.ts';
import { findTarget, inspected, targetReference } from '../../targets/find.ts';
import type { FoundFile } from '../../targets/looks.ts';
import { isGone } from '../is-gone.ts';
import { newRecord } from '../new-record.ts';
import type { ServerProcess } from '../servers/launch.ts';
import { pathsAmong, placesOf } from '../places.ts';
import { possibleCpus, requireCpus } from '../require-cpus.ts';
import { requireFiles } from '../require-files.ts';
import { requireServedBelow, requireUnserved } from '../require-unserved.ts';
import { requireSocket, startOn } from '../servers/serve.ts';
import { queuesNote } from './queues-note.ts';
import { requireFirst } from './require-first.ts';

/** The driver frees queues before an id. */
const FREED_MS = 2000;
const RETRY_MS = 2;
const REMOVED_MS = 10_000;

/**
 * Resolves when the device is live, with what `read` reads of it on the ring that made it. `waiting.signal` gives up; nothing is
 * left then.
 */
export async function addAndRead<T>(
  request: AddRequest,
  read: (channel: ControlChannel, id: number) => Promise<T>,
  waiting: WaitOptions = {},
): Promise<{ readonly report: T; readonly notes: readonly string[] }> {
  const prepared = await prepare({ ...ADD_DEFAULTS, ...request }, waiting);
  return withControl(async (channel) => {
    const server = await make(channel, prepared, waiting);
    server.release();
    return { report: await read(channel, server.device), notes: server.notes };
  });
}

/** Resolves when the device is live, and leaves the server's process in the caller's hands. */
export async function startDevice(asked: AddOptions, waiting: WaitOptions = {}): Promise<ServerProcess> {
  const prepared = await prepare(asked, waiting);
  return withControl((channel) => make(channel, prepared, waiting));
}

interface Prepared {
  readonly options: AddOptions;
  readonly target: TargetTraits;
  readonly files: readonly FoundFile[];
  readonly places: readonly Place[];
}

/** Checks everything that can be checked without the driver. */
async function prepare(asked: AddOptions, waiting: WaitOptions): Promise<Prepared> {
  requireWaiting(waiting);
  checkValues(asked);
  const reference = await targetReference(asked.target);
  const found = await findTarget(reference);
  const targetOptions = found.recorded?.(asked.targetOptions) ?? asked.targetOptions;
  const options = { ...asked, target: reference, targetOptions };
  // Options that no driver makes possible are refused before a driver is needed, and before a server is asked.
  resolve(options, found, FeatureSet.all);
  if (options.server !== null) requireSocket(options.server);
  const target = await inspected(found, targetOptions, false, waiting.signal);
  requireCpus(options.cpus);
  // A device that is there may be below a file, and without a server it would not answer.
  if (options.files.length > 0 && findDevices().length > 0) {
    await withControl((channel) => requireServedBelow(channel, options));
  }
  const files = await requireFiles(options.files, waiting, null);
  for (const { path, readOnly } of options.buffers) closeSync(openSharedFile(path, readOnly).fd);
  const places = await placesOf(pathsAmong(options.target, options.targetOptions));
  return { options, target, files, places };
}

async function make(channel: ControlChannel, prepared: Prepared, waiting: WaitOptions): Promise<ServerProcess> {
  const { options, files, places } = prepared;
  const { info, spec, notes } = await create(channel, prepared, waiting);
  const id = info.dev_id;
  let isLive = false;
  try {
    const record = newRecord({ id, options, spec, files, places });
    const { attempt } = record;
    await withFilesAlone(() => {
      requireFirst(record);
      forgetDevice(id);
      writeRecord(record);
    });
    const server = await startOn(spec.server, { device: id, mode: 'add', attempt, target: options.target }, waiting);
    isLive = true;
    // Whoever is told of the device opens it next.
    await blockDeviceNode(id).catch((error: unknown) => {
      server.release();
      throw error;
    });
    return { ...server, notes: [...notes, ...server.notes] };
  } catch (error) {
    await removeFailed(channel, id, options.server !== null || isLive);
    throw error;
  }
}

async function create(
  channel: ControlChannel,
  { options, target, files }: Prepared,
  waiting: WaitOptions,
): Promise<{ readonly info: DevInfo; readonly spec: DeviceSpec; readonly notes: readonly string[] }> {
  await requireUnserved(channel, options, files);
  const driver = FeatureSet.fromFlags(getFeatures(channel));
  const asked = resolve(options, target, driver);
  // A resident server checks by itself whether it has enough descriptors left.
  if (options.server === null)
    checkDescriptors(descriptorNeeds(resolve(options, target, driver, expectedOf(asked)), target));
  const info = await whenFree(channel, options.id, () => added(channel, devInfoOf(asked, options.id), waiting));
  const spec = resolve(options, target, driver, grantedBy(info));
  return { info, spec, notes: queuesNote(asked.queues, info.nr_hw_queues) };
}

/** The driver makes a device also for a call that is given up meanwhile, which has to wait for it to have it deleted. */
async function added(
  channel: ControlChannel,
  info: Partial<DevInfo>,
  { signal, ...waiting }: WaitOptions,
): Promise<DevInfo> {
  const adding = addDev(channel, info, waiting);
  try {
    return await unlessAborted(adding, signal);
  } catch (error) {
    const removed = adding.then(
      ({ dev_id }) => removeFailed(channel, dev_id, false),
      () => {},
    );
    if (signal?.aborted === true) await withinMs(removed, REMOVED_MS, undefined);
    throw error;
  }
}

/**
 * A device that is being freed is gone for GET_DEV_INFO, and so for whoever has waited for its deletion, a moment before its
 * id is free (ublk_cdev_rel of drivers/block/ublk_drv.c, Linux 7.3).
 */
async function whenFree<T>(channel: ControlChannel, id: number, add: () => Promise<T>): Promise<T> {
  for (const deadline = milliseconds() + FREED_MS; ; await sleep(RETRY_MS)) {
    try {
      return await add();
    } catch (error) {
      const isTaken = error instanceof UblkError && error.code === 'EEXIST';
      if (!isTaken || !isGone(channel, id) || milliseconds() > deadline) throw error;
    }
  }
}

function devInfoOf(spec: DeviceSpec, id: number): Partial<DevInfo> {
  return {
    dev_id: id >>> 0,
    nr_hw_queues: spec.queues,
    queue_depth: spec.depth,
    max_io_buf_bytes: spec.maxIoBufBytes,
    io_desc_size: spec.ioDescSize,
    flags: featuresOf(spec).flags,
  };
}

/** What the driver will grant: as many queues as there can be CPUs, at most. */
function expectedOf({ features, queues, ...counts }: DeviceSpec): Granted {
  return { ...counts, features: FeatureSet.of(...features), queues: Math.min(queues, possibleCpus()) };
}

function grantedBy(info: DevInfo): Granted {
  return {
    features: FeatureSet.fromFlags(info.flags),
    queues: info.nr_hw_queues,
    depth: info.queue_depth,
    maxIoBufBytes: info.max_io_buf_bytes,
    ioDescSize: info.io_desc_size,
  };
}

/** Deletes the device that a failed server leaves, which is of no use to anyone. */
async function removeFailed(channel: ControlChannel, id: number, isServed: boolean): Promise<void> {
  try {
    const { deleteDevice } = await import('../remove/delete.ts');
    await deleteDevice(id, { force: true, timeoutMs: REMOVED_MS }).catch(async (error: unknown) => {
      if (!isUnstarted(error) || isServed) throw error;
      // No process can be started that deletes it, and its own server was never started or was killed: the driver waits for nobody.
      await delDev(channel, id, { timeoutMs: REMOVED_MS });
      await withFilesAlone(() => forgetDevice(id));
    });
  } catch {
    // The error that led here is the one to report.
  }
}
