/** Checks of the block device that are made before fio gets its name. */
import { constants, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { UblkError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';

/** udev may still be making the node. */
const NODE_APPEARS_MS = 5_000;

/** Waits for the node. Where there is none, or a file in its place, fio would make a file and measure that. */
export async function requireBlockDevice(path: string): Promise<void> {
  const deadline = milliseconds() + NODE_APPEARS_MS;
  for (;;) {
    const node = statSync(path, { throwIfNoEntry: false });
    if (node?.isBlockDevice() === true) return;
    if (node !== undefined) {
      throw new UblkError(`${path} is not a block device`, {
        code: 'ENOTBLK',
        hint: `a program has made a file of that name: \`rm ${path}\`, and add the device again`,
      });
    }
    if (milliseconds() > deadline) {
      throw new UblkError(`there is no ${path}`, { code: 'ENOENT', hint: 'is udev (or devtmpfs) running?' });
    }
    await sleep(50);
  }
}

/**
 * Opens the device for nobody else to mount, map or swap to until the descriptor is closed. EBUSY when somebody has
 * (O_EXCL on a block device is about holders, and about its partitions', not about everyone who has it open).
 */
export function claimForWriting(path: string, device: number): number {
  if (isReadOnly(device)) {
    throw new UblkError(`${path} is read-only`, {
      code: 'EROFS',
      device,
      hint: ['without ', option('write'), ' only reads are measured'],
    });
  }
  try {
    return openSync(path, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const reason = code === 'EBUSY' ? 'it is mounted or otherwise in use' : code;
    throw new UblkError(`cannot measure writes on ${path}: ${reason}`, {
      code,
      device,
      command: 'open',
      ...(code === 'EBUSY' && {
        hint: [
          `writing would destroy its data: \`lsblk ${path}\` says what uses it; without `,
          option('write'),
          ' only reads are measured',
        ],
      }),
    });
  }
}

function isReadOnly(device: number): boolean {
  return readFileSync(`/sys/block/ublkb${device}/ro`, 'latin1').trim() === '1';
}
