/** Who still holds a device that is being deleted. */
import { existsSync } from 'node:fs';
import type { DiskNumbers } from '../../control/sysfs.ts';
import { type GoingDevice, readGoingDevice } from '../../record/going-device.ts';
import { findClaims } from './claims.ts';
import type { Holder } from './holder.ts';
import { findOpeners } from './openers.ts';

/** Reads the mounts and the open files of every process. Call it seldom. */
export function holdersOfGoing(going: GoingDevice): Holder[] {
  return findHolders(going.id, going);
}

/** The device has left sysfs, and what was made of it with it: that is remembered from before. */
export function findHolders(id: number, numbers: DiskNumbers): Holder[] {
  const stacked = (readGoingDevice(id)?.stacked ?? []).filter(({ name }) => existsSync(`/sys/block/${name}`));
  const known = new Set(stacked.map(({ name }) => name));
  const claims = findClaims(id, numbers).filter((claim) => claim.kind !== 'device' || !known.has(claim.name));
  return [...claims, ...stacked.map((one): Holder => ({ kind: 'device', ...one })), ...findOpeners(numbers)];
}
