/** Which numbers are the ids of devices. */
import { usageError } from '../errors.ts';
import { UBLK_MINORS } from '../native/ublk-minors.ts';
import type { ControlCommand } from './command.ts';

export const MAX_DEVICE_ID = UBLK_MINORS - 1;
/** The id that lets the kernel choose, as with kublk. */
export const AUTO_DEVICE_ID = -1;

/**
 * Throws a UblkError unless the value is the id of a device. Callers in JavaScript can pass anything; a command has 32 bits for
 * it, and NaN would become device 0.
 */
export function requireDeviceId(value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && 0 <= value && value <= MAX_DEVICE_ID) return;
  throw usageError(`${String(value)} is not the id of a device`, `ids are whole numbers from 0 to ${MAX_DEVICE_ID}`);
}

/** The same check for the device of a command. It is -1 where there is none yet (ADD_DEV), or where it does not matter (GET_FEATURES). */
export function requireDeviceOf({ device }: ControlCommand): void {
  if (device !== AUTO_DEVICE_ID) requireDeviceId(device);
}
