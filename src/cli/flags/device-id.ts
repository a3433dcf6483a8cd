/** Reads the id of a device in the forms that people write. */
import { usageError } from '../../errors.ts';
import { AUTO_DEVICE_ID, MAX_DEVICE_ID } from '../../native/device-ids.ts';

const DEVICE = /^(?:(?:\/dev\/)?ublk[bc])?(?<id>\d+)$/;

/** `0`, `ublkb0`, `/dev/ublkb0` and `/dev/ublkc0` are all device 0. */
export function parseDeviceId(text: string): number {
  const id = Number(DEVICE.exec(text)?.groups?.['id'] ?? Number.NaN);
  if (Number.isNaN(id)) {
    throw usageError(`${JSON.stringify(text)} is not a ublk device`, 'write 0, ublkb0, /dev/ublkb0 or /dev/ublkc0');
  }
  if (id > MAX_DEVICE_ID) throw usageError(`device ${text} is out of range`, `ids go from 0 to ${MAX_DEVICE_ID}`);
  return id;
}

/** The same, for a command whose size is a flag: a size as a word of its own gets a hint that names the flag. */
export function parseDeviceOrNotSize(text: string): number {
  if (/^\d+[kmgt]$/i.test(text)) {
    throw usageError(
      `${JSON.stringify(text)} is not a ublk device`,
      `give the size with -s, for example ublkts update_size -n 0 -s ${text}`,
    );
  }
  return parseDeviceId(text);
}

/** The same as parseDeviceId, or -1 to let the kernel choose the id. */
export function parseNewDeviceId(text: string): number {
  return text === String(AUTO_DEVICE_ID) ? AUTO_DEVICE_ID : parseDeviceId(text);
}
