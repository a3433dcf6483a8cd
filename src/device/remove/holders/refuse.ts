/** Refuses to take a device away from those who would lose data by it. */
import { findClaims } from '../../../block/claims.ts';
import { type Claimant, describeHolders, distinct, releaseCommand } from '../../../block/holder.ts';
import type { DiskNumbers } from '../../../control/sysfs.ts';
import { UblkError } from '../../../errors.ts';
import { option } from '../../../spec/option-names.ts';

/** Those who would lose data if these disks and partitions went away. */
export function claimantsOf({ devices }: Pick<DiskNumbers, 'devices'>): Claimant[] {
  return distinct(findClaims(devices).map(({ claimant }) => claimant));
}

/** Throws if there is one. */
export function refuseClaims(device: number, claimants: readonly Claimant[]): void {
  const [first] = claimants;
  if (first === undefined) return;
  throw new UblkError(`device ${device} is in use: it is ${describeHolders(claimants)}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    hint: [`\`${releaseCommand(first)}\` first; `, option('force'), ' goes ahead, and what is not yet written is lost'],
  });
}
