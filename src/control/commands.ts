/**
 * The commands of /dev/ublk-control, one function each (include/uapi/linux/ublk_cmd.h, Linux 7.3). Each throws a UblkError
 * that names the command, the device, the errno and a next step.
 *
 * - Functions that return a value without a promise are for commands that the driver answers at once, whatever the
 *   device is doing: GET_DEV_INFO, GET_QUEUE_AFFINITY, GET_FEATURES.
 * - All others wait at least for the device's mutex, which STOP_DEV holds until the server has finished every request.
 *   Those of another process's device run in a process of their own (apart.ts) and take no channel. Those with a channel
 *   are for the device that this process is making or serving.
 */
import { UblkError } from '../errors.ts';
import { decode, encode, type StructInit, type StructValue } from '../native/uapi/codec.ts';
import { cpusOfMask } from '../native/libc/calls.ts';
import {
  UBLK_FEATURES_LEN,
  UBLK_U_CMD_ADD_DEV,
  UBLK_U_CMD_DEL_DEV,
  UBLK_U_CMD_DEL_DEV_ASYNC,
  UBLK_U_CMD_END_USER_RECOVERY,
  UBLK_U_CMD_GET_DEV_INFO,
  UBLK_U_CMD_GET_FEATURES,
  UBLK_U_CMD_GET_PARAMS,
  UBLK_U_CMD_GET_QUEUE_AFFINITY,
  UBLK_U_CMD_QUIESCE_DEV,
  UBLK_U_CMD_REG_BUF,
  UBLK_U_CMD_SET_PARAMS,
  UBLK_U_CMD_START_DEV,
  UBLK_U_CMD_START_USER_RECOVERY,
  UBLK_U_CMD_STOP_DEV,
  UBLK_U_CMD_TRY_STOP_DEV,
  UBLK_U_CMD_UNREG_BUF,
  UBLK_U_CMD_UPDATE_SIZE,
} from '../native/uapi/ublk-commands.ts';
import { CPU_MASK_BYTES } from '../native/cpu-mask.ts';
import { UBLK_SHMEM_BUF_READ_ONLY } from '../native/uapi/ublk-device.ts';
import { ublk_params } from '../native/uapi/ublk-params.ts';
import { ublk_shmem_buf_reg, ublksrv_ctrl_dev_info } from '../native/uapi/ublk-structs.ts';
import { type ApartOptions, runApart } from './apart.ts';
import type { ControlChannel } from './channel.ts';
import type { ControlCommand } from './command.ts';
import { commandFailure } from './failures.ts';
import type { WaitOptions } from './waiting.ts';

export type DevInfo = StructValue<typeof ublksrv_ctrl_dev_info>;
export type Params = StructValue<typeof ublk_params>;
export type ParamsInit = StructInit<typeof ublk_params>;

/** Creates /dev/ublkcN; `info.dev_id` 0xffffffff lets the kernel pick. Returns what the kernel made of the request. */
export async function addDev(
  channel: ControlChannel,
  info: StructInit<typeof ublksrv_ctrl_dev_info>,
  options?: WaitOptions,
): Promise<DevInfo> {
  const buffer = encode(ublksrv_ctrl_dev_info, info);
  const device = (info.dev_id ?? 0) | 0;
  const waitsFor = 'the driver to make the device; it makes and removes one at a time';
  await run(channel, { name: 'ADD_DEV', op: UBLK_U_CMD_ADD_DEV, device, buffer, waitsFor }, options);
  return decode(ublksrv_ctrl_dev_info, buffer);
}

/** Deletes a device that was never started, and waits until its last user is gone. For all others: removeDev. */
export async function delDev(channel: ControlChannel, device: number, options?: WaitOptions): Promise<void> {
  await run(channel, { name: 'DEL_DEV', op: UBLK_U_CMD_DEL_DEV, device }, options);
}

/**
 * Stops the device and deletes it, in one go that nobody has to wait for. The id is free when the last user of the device
 * is gone, which this does not wait for.
 */
export async function removeDev(device: number, options?: ApartOptions): Promise<void> {
  await apart([stopCommand(device), { name: 'DEL_DEV_ASYNC', op: UBLK_U_CMD_DEL_DEV_ASYNC, device }], options);
}

/** Creates /dev/ublkbN. Answers when every queue has fetched, so the queue threads must be running. */
export async function startDev(
  channel: ControlChannel,
  device: number,
  serverPid: number,
  options?: WaitOptions,
): Promise<void> {
  const waitsFor = 'the queues to fetch';
  const data = BigInt(serverPid);
  await run(channel, { name: 'START_DEV', op: UBLK_U_CMD_START_DEV, device, data, waitsFor }, options);
}

/** Removes /dev/ublkbN, when every request that was begun is finished. */
export async function stopDev(device: number, options?: ApartOptions): Promise<void> {
  await apart([stopCommand(device)], options);
}

/** Does what stopDev does, but fails with EBUSY when someone has the block device open (UBLK_F_SAFE_STOP_DEV). */
export async function tryStopDev(device: number, options?: ApartOptions): Promise<void> {
  await apart([{ ...stopCommand(device), name: 'TRY_STOP_DEV', op: UBLK_U_CMD_TRY_STOP_DEV }], options);
}

/** The driver answers at once, whatever state the device is in; also while it goes away. */
export function getDevInfo(channel: ControlChannel, device: number): DevInfo {
  const buffer = new Uint8Array(ublksrv_ctrl_dev_info.size);
  ask(channel, { name: 'GET_DEV_INFO', op: UBLK_U_CMD_GET_DEV_INFO, device, buffer });
  return decode(ublksrv_ctrl_dev_info, buffer);
}

/** null when there is no such device. */
export function findDevInfo(channel: ControlChannel, device: number): DevInfo | null {
  try {
    return getDevInfo(channel, device);
  } catch (error) {
    if (error instanceof UblkError && error.kind === 'no-device') return null;
    throw error;
  }
}

/** The CPUs that submit to `queue`. Answered at once. */
export function getQueueAffinity(channel: ControlChannel, device: number, queue: number): number[] {
  const buffer = new Uint8Array(CPU_MASK_BYTES);
  const data = BigInt(queue);
  ask(channel, { name: 'GET_QUEUE_AFFINITY', op: UBLK_U_CMD_GET_QUEUE_AFFINITY, device, buffer, data });
  return cpusOfMask(buffer);
}

/** Sets the parameters of a device that was never started. */
export async function setParams(
  channel: ControlChannel,
  device: number,
  params: ParamsInit,
  options?: WaitOptions,
): Promise<void> {
  const result = await trySetParams(channel, device, params, options);
  if (result < 0) throw commandFailure('SET_PARAMS', device, result);
}

/** Does what setParams does, but returns the kernel's own answer: 0 or -errno. */
export async function trySetParams(
  channel: ControlChannel,
  device: number,
  params: ParamsInit,
  options?: WaitOptions,
): Promise<number> {
  const buffer = encode(ublk_params, { ...params, len: ublk_params.size });
  return channel.run({ name: 'SET_PARAMS', op: UBLK_U_CMD_SET_PARAMS, device, buffer }, options);
}

/** Waits for the device's mutex: only for a device that is DEAD, whose mutex nobody keeps. */
export async function getParams(channel: ControlChannel, device: number, options?: WaitOptions): Promise<Params> {
  const buffer = encode(ublk_params, { len: ublk_params.size });
  await run(channel, { name: 'GET_PARAMS', op: UBLK_U_CMD_GET_PARAMS, device, buffer }, options);
  return decode(ublk_params, buffer);
}

/** UBLK_F_* bits that the driver knows (Linux 6.5). Answered at once. */
export function getFeatures(channel: ControlChannel): bigint {
  const buffer = new Uint8Array(UBLK_FEATURES_LEN);
  ask(channel, { name: 'GET_FEATURES', op: UBLK_U_CMD_GET_FEATURES, device: -1, buffer });
  return new DataView(buffer.buffer).getBigUint64(0, true);
}

/** Lets a new server fetch; EBUSY until the old one has closed the char device. */
export async function startUserRecovery(device: number, options?: WaitOptions): Promise<void> {
  await apart([{ name: 'START_USER_RECOVERY', op: UBLK_U_CMD_START_USER_RECOVERY, device }], options);
}

/** Answers when every queue has fetched, as startDev does. */
export async function endUserRecovery(
  channel: ControlChannel,
  device: number,
  serverPid: number,
  options?: WaitOptions,
): Promise<void> {
  const waitsFor = 'the queues to fetch';
  const data = BigInt(serverPid);
  const command = { name: 'END_USER_RECOVERY', op: UBLK_U_CMD_END_USER_RECOVERY, device, data, waitsFor };
  await run(channel, command, options);
}

/** Sets the size of a device that has a block device, in sectors of 512 bytes. */
export async function updateSize(device: number, sectors: number, options?: ApartOptions): Promise<void> {
  await apart([{ name: 'UPDATE_SIZE', op: UBLK_U_CMD_UPDATE_SIZE, device, data: BigInt(sectors) }], options);
}

/**
 * Takes the server away from a live device: aborts its fetch commands once every queue has an idle one, for which the
 * kernel waits up to `waitMs` (Infinity: without a bound). The state changes later, when the server has closed the char device.
 */
export async function quiesceDev(device: number, waitMs: number, options?: ApartOptions): Promise<void> {
  const waitsFor = `a request of device ${device} to finish`;
  // To the kernel, 0 means that there is no bound.
  const data = waitMs === Infinity ? 0n : BigInt(waitMs);
  const command = { name: 'QUIESCE_DEV', op: UBLK_U_CMD_QUIESCE_DEV, device, data, waitsFor };
  await apart([command], { timeoutMs: waitMs + 10_000, ...options });
}

/**
 * Pins `length` bytes of this process at `address`, and matches requests' pages against them from now on. Returns the
 * kernel's index. It freezes the queues and waits for the requests in them, so queue threads must go on serving. There is
 * no bound but the caller's: nothing takes the command back.
 */
export async function regBuf(
  channel: ControlChannel,
  device: number,
  address: bigint,
  length: number,
  readOnly: boolean,
  options?: WaitOptions,
): Promise<number> {
  const flags = readOnly ? UBLK_SHMEM_BUF_READ_ONLY : 0;
  const buffer = encode(ublk_shmem_buf_reg, { addr: address, len: length, flags });
  const waitsFor = `the requests of device ${device} to finish`;
  const command = { name: 'REG_BUF', op: UBLK_U_CMD_REG_BUF, device, buffer, waitsFor };
  return run(channel, command, { timeoutMs: Infinity, ...options });
}

/** Freezes the queues as regBuf does: when it answers, no request uses the buffer. No bound but the caller's. */
export async function unregBuf(
  channel: ControlChannel,
  device: number,
  index: number,
  options?: WaitOptions,
): Promise<void> {
  const waitsFor = `the requests of device ${device} to finish`;
  const command = { name: 'UNREG_BUF', op: UBLK_U_CMD_UNREG_BUF, device, data: BigInt(index), waitsFor };
  await run(channel, command, { timeoutMs: Infinity, ...options });
}

function stopCommand(device: number): ControlCommand {
  return {
    name: 'STOP_DEV',
    op: UBLK_U_CMD_STOP_DEV,
    device,
    waitsFor: `the requests of device ${device} to finish`,
  };
}

function ask(channel: ControlChannel, command: ControlCommand): number {
  return checked(command, channel.ask(command));
}

async function run(channel: ControlChannel, command: ControlCommand, options?: WaitOptions): Promise<number> {
  return checked(command, await channel.run(command, options));
}

/** Throws the error of the first command that failed. */
async function apart(commands: readonly ControlCommand[], options?: ApartOptions): Promise<void> {
  const results = await runApart(commands, options);
  commands.forEach((command, index) => checked(command, results[index] ?? 0));
}

function checked({ name, device }: ControlCommand, result: number): number {
  if (result < 0) throw commandFailure(name, device, result);
  return result;
}
