/** Checks of the kernel: its version, io_uring, the ublk driver and its features. */
import { accessSync, closeSync, constants, existsSync } from 'node:fs';
import { CONTROL_DEVICE } from '../../control/command.ts';
import { permissionHint, whyNoDriver } from '../../control/missing-driver.ts';
import { UblkError } from '../../errors.ts';
import { IORING_SETUP_SQE128 } from '../../native/uapi/io-uring-setup.ts';
import { UBLK_FEATURES } from '../../native/uapi/ublk-features.ts';
import { setUpRing } from '../../native/ring/setup.ts';
import { getFeatures } from '../features.ts';
import { type Check, fail, ok, warn } from './check.ts';

const FIRST_UBLK: Version = [6, 0];
const FIRST_SHMEM_ZC: Version = [7, 1];

type Version = readonly [major: number, minor: number];

export function checkKernel(release: string): Check {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  if (isBefore([major, minor], FIRST_UBLK))
    return fail('kernel', release, 'ublk is in Linux 6.0 and newer; `ublkts lab shell` opens a guest that has it');
  if (isBefore([major, minor], FIRST_SHMEM_ZC)) {
    return warn(
      'kernel',
      release,
      'shared-memory zero copy is in Linux 7.1 and newer; `ublkts lab shell` opens a guest that has it',
    );
  }
  return ok('kernel', release);
}

/** `policy` is the value of kernel.io_uring_disabled; null where the kernel has no such switch. */
export function checkIoUring(policy: string | null): Check {
  try {
    const { fd, ring, sqes } = setUpRing({ sqEntries: 1, cqEntries: 2, flags: IORING_SETUP_SQE128 });
    ring.unmap();
    sqes.unmap();
    closeSync(fd);
    return ok('io_uring', policy === null || policy === '0' ? 'works' : `works; io_uring_disabled is ${policy}`);
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
    return fail('io_uring', error.message, error.hint ?? 'see `dmesg`');
  }
}

/** The driver, and whether this user may talk to it. */
export function checkDriver(): Check {
  if (!existsSync(CONTROL_DEVICE)) {
    const { reason, hint } = whyNoDriver();
    return fail('driver', `no ${CONTROL_DEVICE}: ${reason}`, hint);
  }
  try {
    accessSync(CONTROL_DEVICE, constants.R_OK | constants.W_OK);
  } catch {
    return fail('driver', `${CONTROL_DEVICE} refuses this user`, permissionHint());
  }
  if (process.geteuid?.() !== 0) {
    return warn('driver', 'can be opened by this user, who is not root', 'ublkts makes devices only as root');
  }
  return ok('driver', CONTROL_DEVICE);
}

/** The features of the driver. Call this only where the driver can be opened. */
export async function checkFeatures(): Promise<Check> {
  try {
    const { bits } = await getFeatures();
    const names = new Set(bits.map(({ name }) => name));
    const missing = UBLK_FEATURES.filter(({ name }) => !names.has(name));
    const detail = `${bits.length} of the ${UBLK_FEATURES.length} that ublkts knows`;
    if (missing.length === 0) return ok('features', detail);
    const wish = missing.map(({ name, since }) => `${name.slice('UBLK_F_'.length)} (Linux ${since})`).join(', ');
    return warn('features', detail, `this kernel does not have ${wish}`);
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
    return fail('features', error.message, error.hint ?? 'GET_FEATURES is in Linux 6.5 and newer');
  }
}

function isBefore([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
