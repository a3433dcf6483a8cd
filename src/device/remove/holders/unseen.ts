/**
 * Refuses a device that somebody has open whom neither /proc nor /sys shows: a file system without a folder in /sys/fs (vfat,
 * exfat, ntfs) that is mounted where no process sees it, or a driver that uses the disk. The driver counts them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { findOpeners, hasOpen } from '../../../block/openers.ts';
import type { ApartOptions } from '../../../control/apart.ts';
import { tryStopDev } from '../../../control/commands.ts';
import { diskNumbers } from '../../../control/sysfs.ts';
import { UblkError } from '../../../errors.ts';
import { option } from '../../../spec/option-names.ts';

/** A program that has closed it, or was killed, may still be counted for a moment. */
const TRIES = 3;
const RETRY_MS = 300;

/**
 * Stops the device if nobody has it open. Throws if somebody has, and no process is seen to; then nothing is stopped. Processes
 * get errors, so this returns when there are some. Drivers before Linux 7.0 do not tell.
 */
export async function refuseUnseen(id: number, options: ApartOptions): Promise<void> {
  for (let tries = 1; await isOpen(id, options); tries++) {
    const { devices } = diskNumbers(id);
    if (hasOpen(process.pid, devices) || findOpeners(devices, null).length > 0) return;
    if (tries === TRIES) throw unseen(id);
    await sleep(RETRY_MS, undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted());
  }
}

async function isOpen(id: number, options: ApartOptions): Promise<boolean> {
  try {
    await tryStopDev(id, options);
    return false;
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
    if (error.code === 'EBUSY') return true;
    // The kernel is older than TRY_STOP_DEV, or the device has been stopped or deleted since.
    if (error.kind === 'unsupported' || error.kind === 'no-device') return false;
    throw error;
  }
}

function unseen(device: number): UblkError {
  return new UblkError(
    `device ${device} is in use: the kernel counts somebody who has it open, and no process is seen to`,
    {
      code: 'EBUSY',
      kind: 'busy',
      device,
      command: 'TRY_STOP_DEV',
      hint: [
        'a file system may be mounted where it is not seen (`umount -l`), or a driver may use the disk; ',
        option('force'),
        ' goes ahead, and what is not yet written is lost',
      ],
    },
  );
}
