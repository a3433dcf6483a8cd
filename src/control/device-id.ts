/** Which numbers are the ids of devices. */
import { usageError } from '../errors.ts';
import { UBLK_MINORS } from '../native/uapi/ublk-device.ts';
import type { ControlCommand } from './command.ts';

export const MAX_DEVICE_ID = UBLK_MINORS - 1;
/** The id that lets the kernel choose, as with kublk. */
export const AUTO_DEVICE_ID = -1;

/**
 * Throws a UblkError for a value, which no compiler may have looked at, that is not the id of a device. What is written into
 * a command is 32 bits, and NaN would become device 0.
 */
export function requireDeviceId(value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && 0 <= value && value <= MAX_DEVICE_ID) return;
  throw usageError(`${String(value)} is not the id of a device`, `ids are whole numbers from 0 to ${MAX_DEVICE_ID}`);
}

/** Does so for the device of a command, which may be one that is not about a device that there is. */
export function requireDeviceOf({ device }: ControlCommand): void {
  if (device !== AUTO_DEVICE_ID) requireDeviceId(device);
}
