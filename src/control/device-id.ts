/** Refuses what is not the id of a device. A command has 32 bits for it, and NaN would become device 0. */
import { usageError } from '../errors.ts';
import { AUTO_DEVICE_ID, isDeviceId, MAX_DEVICE_ID } from '../native/device-ids.ts';
import { shown } from '../text/shown.ts';
import type { ControlCommand } from './command.ts';

/** Throws a UblkError unless the value is the id of a device. */
export function requireDeviceId(value: unknown): void {
  if (isDeviceId(value)) return;
  throw usageError(`${shown(value)} is not the id of a device`, `ids are whole numbers from 0 to ${MAX_DEVICE_ID}`);
}

/** The same check for the device of a command. It is -1 where there is none yet (ADD_DEV), or where it does not matter (GET_FEATURES). */
export function requireDeviceOf({ device }: ControlCommand): void {
  if (device !== AUTO_DEVICE_ID) requireDeviceId(device);
}
