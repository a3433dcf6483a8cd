/** Which numbers are the ids of devices. */

/** UBLK_MINORS - 1 (drivers/block/ublk_drv.c, not in a header): the driver has one minor number per device. */
export const MAX_DEVICE_ID = (1 << 20) - 1;
/** In place of an id, it lets the kernel choose, as with kublk. */
export const AUTO_DEVICE_ID = -1;

/** Callers in JavaScript can pass anything. */
export function isDeviceId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && 0 <= value && value <= MAX_DEVICE_ID;
}
