/** Refuses to take a device away from those who would lose data by it. */
import type { DiskNumbers } from '../../control/sysfs.ts';
import { UblkError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';
import { findClaims } from './claims.ts';
import { describeHolders, releaseCommand } from './holder.ts';

export function refuseClaims(device: number, numbers: DiskNumbers): void {
  const claims = findClaims(device, numbers);
  const [first] = claims;
  if (first === undefined) return;
  throw new UblkError(`device ${device} is in use: it is ${describeHolders(claims)}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    hint: [`\`${releaseCommand(first)}\` first; `, option('force'), ' goes ahead, and what is not yet written is lost'],
  });
}
