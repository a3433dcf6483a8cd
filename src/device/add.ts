/** `add`: everything that can be checked is checked before the kernel is asked; a failure leaves no device behind. */
import { accessSync, closeSync } from 'node:fs';
import { type ControlChannel, withControl } from '../control/channel.ts';
import { addDev, type DevInfo, delDev, getFeatures } from '../control/commands.ts';
import { UblkError, usageError } from '../errors.ts';
import { UBLK_F_QUIESCE, UBLK_F_USER_RECOVERY } from '../native/uapi/ublk-features.ts';
import { ublksrv_io_desc } from '../native/uapi/ublk-structs.ts';
import { dataPathName, dataPathOf } from '../spec/plan.ts';
import { openSharedFile } from '../server/shared-memory/shared-file.ts';
import { forgetDevice, writeStoredDevice } from '../record/stored-device.ts';
import { findTarget } from '../targets/registry.ts';
import type { TargetType } from '../targets/target.ts';
import { withDataPath } from '../spec/choose-path.ts';
import { flagsOf } from './features.ts';
import { describeDevice } from './list.ts';
import { ADD_DEFAULTS, type AddOptions, type AddRequest } from '../spec/options.ts';
import type { DeviceReport } from './report.ts';
import { launchServer, type ServerProcess } from './launch.ts';
import { requireCpus } from './require-cpus.ts';
import { requireFeatures } from '../spec/require-features.ts';
import { validateAddOptions } from '../spec/validate.ts';

export async function addDevice(request: AddRequest): Promise<DeviceReport> {
  const server = await startDevice({ ...ADD_DEFAULTS, ...request });
  server.release();
  return describeDevice(server.device);
}

/** As addDevice, with the server's process in hand. */
export async function startDevice(asked: AddOptions): Promise<ServerProcess> {
  validateAddOptions(asked);
  requireCpus(asked.cpus);
  const type = await checkTarget(asked);
  checkBuffers(asked);
  const { info, options } = withControl((channel) => create(channel, asked, type));
  try {
    forgetDevice(info.dev_id);
    writeStoredDevice({
      version: 1,
      id: info.dev_id,
      options: { ...options, id: info.dev_id },
      dataPath: dataPathName(options),
      serverPid: -1,
      generation: 0,
      recorded: true,
      buffers: [],
      unsettled: null,
      ended: null,
    });
    return await launchServer(info.dev_id, 'add');
  } catch (error) {
    removeFailed(info);
    throw error;
  }
}

function create(channel: ControlChannel, asked: AddOptions, type: TargetType): { info: DevInfo; options: AddOptions } {
  const available = getFeatures(channel);
  const options = withDataPath(asked, type, available);
  requireFeatures(options.features, available);
  return { info: addDev(channel, devInfoOf(options, available)), options };
}

/** Whether the target can be what is asked of it: sentences, before anything exists. */
export async function checkTarget(options: AddOptions): Promise<TargetType> {
  const type = findTarget(options.target);
  const { min, max } = type.files;
  const files = options.files.length - (options.integrity !== null && max > 0 ? 1 : 0);
  if (files < min || files > max) {
    throw usageError(
      `target ${type.name} takes ${filesWanted(min, max)}, not ${options.files.length}`,
      max === 0 ? 'leave the files out' : 'name them after the options',
    );
  }
  for (const name of Object.keys(options.targetOptions)) {
    if (!(name in type.options)) {
      const known = Object.keys(type.options).map((option) => `--${option}`);
      throw usageError(
        `target ${type.name} has no option --${name}`,
        known.length > 0 ? `it has ${known.join(', ')}` : 'it has none of its own',
      );
    }
  }
  for (const file of options.files) requireFile(file);
  const refusal = type.refuses({
    files: options.files,
    options: options.targetOptions,
    dataPath: dataPathOf(options),
    batch: options.features.includes('BATCH_IO'),
    queues: options.queues,
    depth: options.depth,
    maxIoBufBytes: options.maxIoBufBytes,
    integrity: options.integrity,
    recovering: false,
  });
  if (refusal !== null) throw usageError(refusal);
  return type;
}

function filesWanted(min: number, max: number): string {
  if (max === 0) return 'no backing file';
  return min === max ? `${min} backing file${min === 1 ? '' : 's'}` : `${min} to ${max} backing files`;
}

function requireFile(file: string): void {
  try {
    accessSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new UblkError(`cannot use backing file ${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      code,
      command: 'open',
      hint: 'make it first, for instance with `truncate -s 1G FILE`',
    });
  }
}

function checkBuffers(options: AddOptions): void {
  for (const { path, readOnly } of options.buffers) closeSync(openSharedFile(path, readOnly).fd);
}

function devInfoOf(options: AddOptions, available: bigint): Partial<DevInfo> {
  let flags = flagsOf(options.features);
  if ((flags & UBLK_F_USER_RECOVERY) !== 0n && (available & UBLK_F_QUIESCE) !== 0n) flags |= UBLK_F_QUIESCE;
  return {
    dev_id: options.id >>> 0,
    nr_hw_queues: options.queues,
    queue_depth: options.depth,
    max_io_buf_bytes: options.maxIoBufBytes,
    io_desc_size: options.ioDescSize === 0 ? ublksrv_io_desc.size : options.ioDescSize,
    flags,
  };
}

/** The server has said why; the device it leaves is of no use to anyone. */
function removeFailed(info: DevInfo): void {
  try {
    withControl((channel) => delDev(channel, info.dev_id, 10_000));
    forgetDevice(info.dev_id);
  } catch {
    // The error that led here is the one to tell.
  }
}
