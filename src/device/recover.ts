/**
 * `recover`: a new server for a device whose server is gone. What it is not told it takes from the stored record, and
 * what the kernel knows better from the kernel. A recovery that fails leaves the device as it was: recoverable.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { withControl } from '../control/channel.ts';
import { type DevInfo, getDevInfo, startUserRecovery } from '../control/commands.ts';
import { UblkError, usageError } from '../errors.ts';
import { UBLK_S_DEV_DEAD, UBLK_S_DEV_LIVE } from '../native/uapi/ublk-device.ts';
import { UBLK_F_IO_DESC_SIZE, UBLK_F_USER_RECOVERY, UBLK_FEATURES } from '../native/uapi/ublk-features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../spec/options.ts';
import { dataPathName } from '../spec/plan.ts';
import { readStoredDevice, type StoredDevice, writeStoredDevice } from '../record/stored-device.ts';
import { checkTarget } from './add.ts';
import { exclusively } from './exclusively.ts';
import { bitsOf, flagsOf } from './features.ts';
import { launchServer, type ServerProcess } from './launch.ts';
import { describeDevice, isRunning } from './list.ts';
import type { DeviceReport } from './report.ts';
import { requireCpus } from './require-cpus.ts';
import { validateAddOptions } from '../spec/validate.ts';

/** A server that was killed needs a moment until the kernel has taken everything back. */
const SERVER_LEAVES_MS = 5_000;

export async function recoverDevice(id: number, overrides: Partial<AddOptions>): Promise<DeviceReport> {
  const server = await startRecovery(id, overrides);
  server.release();
  return describeDevice(id);
}

/**
 * As recoverDevice, with the server's process in hand. Two at once would both be let in by START_USER_RECOVERY, and the
 * one that comes second to the char device would leave its record in the place of the other's.
 */
export function startRecovery(id: number, overrides: Partial<AddOptions>): Promise<ServerProcess> {
  return exclusively(id, 'recover', () => startAlone(id, overrides));
}

async function startAlone(id: number, overrides: Partial<AddOptions>): Promise<ServerProcess> {
  const info = withControl((channel) => getDevInfo(channel, id));
  const before = storedOf(info);
  const options = optionsOf(info, before, overrides);
  validateAddOptions(options);
  // Of those that are remembered, some may have gone offline: the others will do.
  requireCpus(overrides.cpus ?? []);
  await checkTarget(options);
  await startUserRecoveryWhenFree(info);
  writeStoredDevice({
    version: 1,
    id,
    options,
    dataPath: dataPathName(options),
    serverPid: before?.serverPid ?? -1,
    generation: (before?.generation ?? 0) + 1,
    recorded: before !== null,
    buffers: before?.buffers ?? [],
    unsettled: before?.unsettled ?? null,
    ended: null,
  });
  try {
    return await launchServer(id, 'recover');
  } catch (error) {
    // With the old record it can be tried again, with or without the options that failed.
    if (before !== null && !isLive(id)) writeStoredDevice(before);
    throw error;
  }
}

/** The stored record, unless another program has made the device since under the same id. */
function storedOf(info: DevInfo): StoredDevice | null {
  const stored = readStoredDevice(info.dev_id);
  if (stored === null) return null;
  const asked = flagsOf(stored.options.features);
  return (info.flags & asked) === asked && stored.options.depth === info.queue_depth ? stored : null;
}

function optionsOf(info: DevInfo, stored: StoredDevice | null, overrides: Partial<AddOptions>): AddOptions {
  const target = overrides.target ?? stored?.options.target;
  if (target === undefined) {
    throw usageError(
      `device ${info.dev_id} was made by another program: nothing is stored of what it serves`,
      'name its target and files as it was made: -t TARGET [FILES...]',
    );
  }
  const files = overrides.files ?? [];
  return {
    ...ADD_DEFAULTS,
    ...stored?.options,
    ...overrides,
    target,
    files: files.length > 0 ? files : (stored?.options.files ?? []),
    // Those of the first server are in the record, and still registered.
    buffers: overrides.buffers ?? [],
    id: info.dev_id,
    queues: info.nr_hw_queues,
    depth: info.queue_depth,
    maxIoBufBytes: info.max_io_buf_bytes,
    features: stored?.options.features ?? featuresOf(info.flags),
    ioDescSize: (info.flags & UBLK_F_IO_DESC_SIZE) === 0n ? 0 : info.io_desc_size,
  };
}

function featuresOf(flags: bigint): string[] {
  const known = UBLK_FEATURES.map((feature) => feature.name);
  return bitsOf(flags).flatMap(({ name }) =>
    name !== null && known.includes(name) ? [name.slice('UBLK_F_'.length)] : [],
  );
}

async function startUserRecoveryWhenFree(info: DevInfo): Promise<void> {
  const id = info.dev_id;
  if (info.state === UBLK_S_DEV_DEAD && (info.flags & UBLK_F_USER_RECOVERY) !== 0n) {
    throw new UblkError(`device ${id} was stopped: there is nothing to recover`, {
      code: 'EBUSY',
      kind: 'failed',
      device: id,
      command: 'START_USER_RECOVERY',
      hint: `\`ublkts del -n ${id}\` and add it again`,
    });
  }
  const deadline = performance.now() + SERVER_LEAVES_MS;
  for (;;) {
    try {
      withControl((channel) => startUserRecovery(channel, id));
      return;
    } catch (error) {
      if (!(error instanceof UblkError) || error.code !== 'EBUSY') throw error;
      if (performance.now() > deadline) throw isRunning(info.ublksrv_pid) ? stillServed(info) : error;
    }
    await sleep(20);
  }
}

function stillServed(info: DevInfo): UblkError {
  const { dev_id: id, ublksrv_pid: pid } = info;
  return new UblkError(`START_USER_RECOVERY of device ${id}: its server (pid ${pid}) is still there`, {
    code: 'EBUSY',
    device: id,
    command: 'START_USER_RECOVERY',
    hint: `take the device away from it: \`ublkts quiesce -n ${id}\`, or \`kill -9 ${pid}\``,
  });
}

function isLive(id: number): boolean {
  return withControl((channel) => getDevInfo(channel, id)).state === UBLK_S_DEV_LIVE;
}
