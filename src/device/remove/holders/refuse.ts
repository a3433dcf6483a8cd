/** Refuses to take a device away from those who would lose data by it. */
import { findClaims } from '../../../block/claims.ts';
import { type Claimant, describeHolders, distinct, toRelease } from '../../../block/holder.ts';
import type { DiskNumbers } from '../../../control/sysfs.ts';
import { UblkError } from '../../../errors.ts';
import { readUnchanged } from '../../../record/unchanged.ts';
import { option } from '../../../spec/option-names.ts';
import type { UblkStack } from '../../../targets/stack.ts';

/** Those who would lose data if these disks and partitions of the ublk device `id` went away. */
export function claimantsOf(id: number, { devices }: Pick<DiskNumbers, 'devices'>, stack: UblkStack): Claimant[] {
  return distinct([...ublkDevicesOn(id, stack), ...findClaims(devices).map(({ claimant }) => claimant)]);
}

/** The ublk devices that lie on this one and may still write. */
function ublkDevicesOn(id: number, stack: UblkStack): Claimant[] {
  return stack
    .on(id)
    .map((upper) => ({ kind: 'device', name: `ublkb${upper}`, label: readUnchanged(upper)?.spec.target ?? null }));
}

/** Throws if there is one. */
export function refuseClaims(device: number, claimants: readonly Claimant[]): void {
  const [first] = claimants;
  if (first === undefined) return;
  throw new UblkError(`device ${device} is in use: it is ${describeHolders(claimants)}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    hint: [`${toRelease(first)} first; `, option('force'), ' goes ahead, and what is not yet written is lost'],
  });
}
