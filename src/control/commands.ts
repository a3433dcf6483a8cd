/**
 * The commands of /dev/ublk-control, one function each (include/uapi/linux/ublk_cmd.h, Linux 7.3). Every one throws a
 * UblkError that names command, device, errno and next step; none waits for ever.
 */
import { decode, encode, type StructInit, type StructValue } from '../native/uapi/codec.ts';
import { cpusOfMask } from '../native/libc/calls.ts';
import {
  UBLK_FEATURES_LEN,
  UBLK_U_CMD_ADD_DEV,
  UBLK_U_CMD_DEL_DEV,
  UBLK_U_CMD_DEL_DEV_ASYNC,
  UBLK_U_CMD_END_USER_RECOVERY,
  UBLK_U_CMD_GET_DEV_INFO,
  UBLK_U_CMD_GET_DEV_INFO2,
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
import { UBLK_SHMEM_BUF_READ_ONLY } from '../native/uapi/ublk-device.ts';
import { ublk_params } from '../native/uapi/ublk-params.ts';
import { ublk_shmem_buf_reg, ublksrv_ctrl_dev_info } from '../native/uapi/ublk-structs.ts';
import type { ControlChannel, ControlCommand } from './channel.ts';
import { commandFailure } from './failures.ts';

export type DevInfo = StructValue<typeof ublksrv_ctrl_dev_info>;
export type Params = StructValue<typeof ublk_params>;
export type ParamsInit = StructInit<typeof ublk_params>;

/** Creates /dev/ublkcN; `info.dev_id` 0xffffffff lets the kernel pick. Returns what it made of the request. */
export function addDev(channel: ControlChannel, info: StructInit<typeof ublksrv_ctrl_dev_info>): DevInfo {
  const buffer = encode(ublksrv_ctrl_dev_info, info);
  const device = (info.dev_id ?? 0) | 0;
  run(channel, { name: 'ADD_DEV', op: UBLK_U_CMD_ADD_DEV, device, buffer });
  return decode(ublksrv_ctrl_dev_info, buffer);
}

/** Waits until the last user of the device is gone. */
export function delDev(channel: ControlChannel, device: number, timeoutMs?: number): void {
  run(channel, { name: 'DEL_DEV', op: UBLK_U_CMD_DEL_DEV, device, ...timeout(timeoutMs) });
}

/** Returns at once; the id is free when the last user of the device is gone. */
export function delDevAsync(channel: ControlChannel, device: number): void {
  run(channel, { name: 'DEL_DEV_ASYNC', op: UBLK_U_CMD_DEL_DEV_ASYNC, device });
}

/** Creates /dev/ublkbN. Returns when every queue has fetched, so never issue it on a queue thread. */
export function startDev(channel: ControlChannel, device: number, serverPid: number): void {
  run(channel, { name: 'START_DEV', op: UBLK_U_CMD_START_DEV, device, data: BigInt(serverPid) });
}

/** Removes /dev/ublkbN. Never issue it in the server's own process: killed in it, the process could not die. */
export function stopDev(channel: ControlChannel, device: number, timeoutMs?: number): void {
  run(channel, { name: 'STOP_DEV', op: UBLK_U_CMD_STOP_DEV, device, ...timeout(timeoutMs) });
}

/** As stopDev, but EBUSY when someone has the block device open (UBLK_F_SAFE_STOP_DEV). */
export function tryStopDev(channel: ControlChannel, device: number): void {
  run(channel, { name: 'TRY_STOP_DEV', op: UBLK_U_CMD_TRY_STOP_DEV, device });
}

export function getDevInfo(channel: ControlChannel, device: number): DevInfo {
  const buffer = new Uint8Array(ublksrv_ctrl_dev_info.size);
  run(channel, { name: 'GET_DEV_INFO', op: UBLK_U_CMD_GET_DEV_INFO, device, buffer });
  return decode(ublksrv_ctrl_dev_info, buffer);
}

/**
 * As getDevInfo, by the char device's path, which the kernel reads from the head of the buffer: the form that works on
 * unprivileged devices too.
 */
export function getDevInfo2(channel: ControlChannel, device: number): DevInfo {
  const path = new TextEncoder().encode(`/dev/ublkc${device}\0`);
  const buffer = new Uint8Array(path.length + ublksrv_ctrl_dev_info.size);
  buffer.set(path);
  run(channel, { name: 'GET_DEV_INFO2', op: UBLK_U_CMD_GET_DEV_INFO2, device, buffer, devicePathLength: path.length });
  return decode(ublksrv_ctrl_dev_info, buffer, path.length);
}

/** CPUs that submit to `queue`, all of them. */
export function getQueueAffinity(channel: ControlChannel, device: number, queue: number): number[] {
  const buffer = new Uint8Array(128); // sizeof(cpu_set_t)
  const data = BigInt(queue);
  run(channel, { name: 'GET_QUEUE_AFFINITY', op: UBLK_U_CMD_GET_QUEUE_AFFINITY, device, buffer, data });
  return cpusOfMask(buffer);
}

export function setParams(channel: ControlChannel, device: number, params: ParamsInit): void {
  const result = trySetParams(channel, device, params);
  if (result < 0) throw commandFailure('SET_PARAMS', device, result);
}

/** As setParams, with the kernel's own answer: 0 or -errno. */
export function trySetParams(channel: ControlChannel, device: number, params: ParamsInit): number {
  const buffer = encode(ublk_params, { ...params, len: ublk_params.size });
  return channel.run({ name: 'SET_PARAMS', op: UBLK_U_CMD_SET_PARAMS, device, buffer });
}

export function getParams(channel: ControlChannel, device: number): Params {
  const buffer = encode(ublk_params, { len: ublk_params.size });
  run(channel, { name: 'GET_PARAMS', op: UBLK_U_CMD_GET_PARAMS, device, buffer });
  return decode(ublk_params, buffer);
}

/** UBLK_F_* that the driver knows (Linux 6.5). */
export function getFeatures(channel: ControlChannel): bigint {
  const buffer = new Uint8Array(UBLK_FEATURES_LEN);
  run(channel, { name: 'GET_FEATURES', op: UBLK_U_CMD_GET_FEATURES, device: -1, buffer });
  return new DataView(buffer.buffer).getBigUint64(0, true);
}

export function startUserRecovery(channel: ControlChannel, device: number): void {
  run(channel, { name: 'START_USER_RECOVERY', op: UBLK_U_CMD_START_USER_RECOVERY, device });
}

/** Like startDev: returns when every queue has fetched. */
export function endUserRecovery(channel: ControlChannel, device: number, serverPid: number): void {
  run(channel, { name: 'END_USER_RECOVERY', op: UBLK_U_CMD_END_USER_RECOVERY, device, data: BigInt(serverPid) });
}

export function updateSize(channel: ControlChannel, device: number, sectors: number): void {
  run(channel, { name: 'UPDATE_SIZE', op: UBLK_U_CMD_UPDATE_SIZE, device, data: BigInt(sectors) });
}

/** Takes the server away from a live device; the kernel waits up to `waitMs` for the requests in its hands. */
export function quiesceDev(channel: ControlChannel, device: number, waitMs: number): void {
  const timeoutMs = waitMs + 10_000;
  run(channel, { name: 'QUIESCE_DEV', op: UBLK_U_CMD_QUIESCE_DEV, device, data: BigInt(waitMs), timeoutMs });
}

/**
 * Pins `length` bytes of this process at `address` and matches requests' pages against them from now on. Returns the
 * kernel's index. It freezes the queues and waits for the requests in them: queue threads must go on serving meanwhile.
 */
export async function regBuf(
  channel: ControlChannel,
  device: number,
  address: bigint,
  length: number,
  readOnly: boolean,
): Promise<number> {
  const flags = readOnly ? UBLK_SHMEM_BUF_READ_ONLY : 0;
  const buffer = encode(ublk_shmem_buf_reg, { addr: address, len: length, flags });
  return runPatiently(channel, { name: 'REG_BUF', op: UBLK_U_CMD_REG_BUF, device, buffer });
}

/** Freezes the queues as regBuf does: when it returns, no request uses the buffer. */
export async function unregBuf(channel: ControlChannel, device: number, index: number): Promise<void> {
  await runPatiently(channel, { name: 'UNREG_BUF', op: UBLK_U_CMD_UNREG_BUF, device, data: BigInt(index) });
}

async function runPatiently(channel: ControlChannel, command: ControlCommand): Promise<number> {
  const result = await channel.runPatiently(command);
  if (result < 0) throw commandFailure(command.name, command.device, result);
  return result;
}

function run(channel: ControlChannel, command: ControlCommand): number {
  const result = channel.run(command);
  if (result < 0) throw commandFailure(command.name, command.device, result);
  return result;
}

function timeout(timeoutMs: number | undefined): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}
