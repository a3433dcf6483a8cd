/** Who still holds a device that is being deleted. */
import { existsSync } from 'node:fs';
import { distinct, type Holder } from '../../block/holder.ts';
import { findClaims } from '../../block/claims.ts';
import { findOpeners } from '../../block/openers.ts';
import type { DiskNumbers } from '../../control/sysfs.ts';
import { type GoingDevice, readGoingDevice } from '../../record/going-device.ts';

/** Reads the mounts and the open files of every process. Call it seldom. */
export function holdersOfGoing(going: GoingDevice): Holder[] {
  return findHolders(going.id, going);
}

/** The device has left sysfs, and what was made of it with it: that is remembered from before. */
export function findHolders(id: number, { devices, charDevice }: DiskNumbers): Holder[] {
  const stacked = (readGoingDevice(id)?.stacked ?? []).filter(({ name }) => existsSync(`/sys/block/${name}`));
  const remembered = stacked.map((one): Holder => ({ kind: 'device', ...one }));
  const claimants = findClaims(devices).map(({ claimant }) => claimant);
  return distinct([...claimants, ...remembered, ...findOpeners(devices, charDevice)]);
}
