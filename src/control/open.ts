/** Opens /dev/ublk-control and makes rings for its commands. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { deviceNumber } from '../block/number.ts';
import { readText } from '../native/kernel-files.ts';
import { closeDescriptor } from '../native/libc/calls.ts';
import { type RingParts, setUpRing } from '../native/ring/setup.ts';
import { IORING_SETUP_SQE128 } from '../native/uapi/io-uring-setup.ts';
import { CONTROL_DEVICE } from './command.ts';
import { openFailure } from './failures.ts';
import { CONTROL_NUMBER } from './missing-driver.ts';

export interface ControlRing {
  /** Descriptor of the control device. */
  readonly fd: number;
  readonly ring: RingParts;
  close(): void;
}

/** Opens the control device with a ring for `entries` commands at a time. */
export function openControlRing(entries: number): ControlRing {
  const fd = openControl();
  try {
    const ring = makeCommandRing(entries);
    const close = (): void => {
      closeCommandRing(ring);
      closeSync(fd);
    };
    return { fd, ring, close };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export function makeCommandRing(entries: number): RingParts {
  return setUpRing({ sqEntries: entries, cqEntries: 2 * entries, flags: IORING_SETUP_SQE128 });
}

export function closeCommandRing({ ring, sqes, fd }: RingParts): void {
  ring.unmap();
  sqes.unmap();
  closeDescriptor(fd);
}

/** Returns the descriptor of the control device. The caller closes it. */
export function openControl(): number {
  let fd: number;
  try {
    fd = openSync(CONTROL_DEVICE, constants.O_RDWR);
  } catch (error) {
    throw openFailure(CONTROL_DEVICE, error);
  }
  if (isControlDevice(fd)) return fd;
  closeSync(fd);
  throw openFailure(CONTROL_DEVICE, { code: 'ENODEV' });
}

/**
 * Whether the node is the driver's: something else may lie over it, as in containers. /dev/null takes every command and
 * reports success.
 */
function isControlDevice(fd: number): boolean {
  // The file does not exist when the driver is not loaded.
  return deviceNumber(fstatSync(fd).rdev) === readText(CONTROL_NUMBER);
}
