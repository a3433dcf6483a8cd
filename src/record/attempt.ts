/**
 * The call of `add` or `recover` that starts the server of a device. The call may be given up before a server that is slow,
 * or that a signal has stopped, comes to it; by then the id can be another device's.
 */
import { UblkError } from '../errors.ts';
import type { DeviceRecord } from './device-record.ts';
import { RUN_DIRECTORY } from './files.ts';
import { readRecord } from './store.ts';

/** Different for each call on this machine: the id of the process and the time since the machine started, in nanoseconds. */
export function newAttempt(): string {
  return `${process.pid}-${process.hrtime.bigint()}`;
}

/** Whether the device is still the one that the call was about; so it is for a caller of an older version, which does not say. */
export function isCurrent(record: DeviceRecord, attempt: string | undefined): boolean {
  return attempt === undefined || record.attempt === attempt;
}

/** The record of the device that the call is about. Throws a UblkError when there is none, or that of another call. */
export function requireRecord(id: number, attempt: string | undefined): DeviceRecord {
  const record = readRecord(id);
  if (record === null) throw noRecord(id);
  if (!isCurrent(record, attempt)) throw otherAttempt(id);
  return record;
}

function noRecord(device: number): UblkError {
  return new UblkError(`device ${device} has no record in ${RUN_DIRECTORY}`, {
    code: 'ENOENT',
    device,
    hint: `\`ublkts list -n ${device}\` shows whether it is there; \`ublkts recover -n ${device}\` needs its target and files then`,
  });
}

function otherAttempt(device: number): UblkError {
  return new UblkError(
    `device ${device} is not started: the call that asked for it was given up, and the id is in use again`,
    {
      code: 'ESTALE',
      device,
      hint: `\`ublkts list -n ${device}\` shows the device that has the id now`,
    },
  );
}
