/**
 * Checks that a target can serve a device that is recovered with it. The kernel goes on with the parameters that the device was made with,
 * so a target that has changed since must be able to serve the requests that these allow.
 */
import type { Params, ParamsInit } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_ATTR_READ_ONLY, UBLK_ATTR_VOLATILE_CACHE } from '../native/uapi/ublk-params.ts';

/** `has`: what the kernel has of the device. `says`: what the target says now. Throws a UblkError that says what differs. */
export function requireServable(device: number, has: Params, says: ParamsInit): void {
  const problem = problemOf(has.basic, says.basic ?? {});
  if (problem === null) return;
  throw new UblkError(`device ${device} cannot be recovered with a target that ${problem}`, {
    code: 'EINVAL',
    kind: 'usage',
    device,
    hint: 'give the target the options that the device was made with, or make another device',
  });
}

function problemOf(has: Params['basic'], says: NonNullable<ParamsInit['basic']>): string | null {
  const { attrs = 0, logical_bs_shift: shift = 0, max_sectors: most = 0 } = says;
  if (shift > has.logical_bs_shift) {
    return `has blocks of ${2 ** shift} bytes: it was made with blocks of ${2 ** has.logical_bs_shift}`;
  }
  if (most < has.max_sectors) return `takes ${most * 512} bytes at once: it was made for ${has.max_sectors * 512}`;
  const gained = attrs & ~has.attrs;
  if ((gained & UBLK_ATTR_VOLATILE_CACHE) !== 0) return 'has a `flush`: it was made without, and the kernel never asks';
  return (gained & UBLK_ATTR_READ_ONLY) === 0 ? null : 'cannot be written: it was made for writing';
}
