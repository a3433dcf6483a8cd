/**
 * Checks that a target can serve a device that is recovered with it. The kernel goes on with the parameters that the device was made with,
 * so a target that has changed since must be able to serve the requests that these allow.
 */
import type { Params, ParamsInit } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_ATTR_FUA, UBLK_ATTR_READ_ONLY, UBLK_ATTR_VOLATILE_CACHE } from '../native/uapi/ublk-params.ts';

/**
 * `has`: what the kernel has of the device. `says`: what the target says now. With `keepsFeatures`, the target must still
 * offer every feature of the device (spec/target-traits.ts). Throws a UblkError that says what differs.
 */
export function requireServable(device: number, has: Params, says: ParamsInit, keepsFeatures = false): void {
  const problem = problemOf(has.basic, says.basic ?? {}) ?? (keepsFeatures ? lossOf(has, says) : null);
  if (problem === null) return;
  throw new UblkError(`device ${device} cannot be recovered with a target that ${problem}`, {
    code: 'EINVAL',
    kind: 'usage',
    device,
    hint: 'give the target the options that the device was made with, and what it serves at least its old size; or make another device',
  });
}

function problemOf(has: Params['basic'], says: NonNullable<ParamsInit['basic']>): string | null {
  const { attrs = 0, logical_bs_shift: shift = 0, max_sectors: most = 0, dev_sectors: sectors = 0 } = says;
  // A client may have data in all of the device.
  if (sectors < has.dev_sectors) return `has ${sectors * 512} bytes: the device has ${has.dev_sectors * 512}`;
  if (shift > has.logical_bs_shift) {
    return `has blocks of ${2 ** shift} bytes: it was made with blocks of ${2 ** has.logical_bs_shift}`;
  }
  if (most < has.max_sectors) return `takes ${most * 512} bytes at once: it was made for ${has.max_sectors * 512}`;
  const gained = attrs & ~has.attrs;
  if ((gained & UBLK_ATTR_VOLATILE_CACHE) !== 0) return 'has a `flush`: it was made without, and the kernel never asks';
  return (gained & UBLK_ATTR_READ_ONLY) === 0 ? null : 'cannot be written: it was made for writing';
}

/** Says what the kernel may ask the device for and the target no longer takes, as a predicate of the target; null: nothing. */
function lossOf(has: Params, { basic, discard }: ParamsInit): string | null {
  const lost = has.basic.attrs & ~(basic?.attrs ?? 0);
  if ((lost & UBLK_ATTR_VOLATILE_CACHE) !== 0) return 'cannot flush: it was made with a cache that is flushed';
  if ((lost & UBLK_ATTR_FUA) !== 0) return 'has no FUA: it was made with it';
  if (has.discard.max_discard_sectors > 0 && (discard?.max_discard_sectors ?? 0) === 0) {
    return 'takes no discards: it was made with them';
  }
  const isLost = has.discard.max_write_zeroes_sectors > 0 && (discard?.max_write_zeroes_sectors ?? 0) === 0;
  return isLost ? 'cannot write zeroes: it was made with that' : null;
}
