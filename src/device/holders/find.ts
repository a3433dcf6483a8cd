/** Everybody who keeps a device that was stopped from being gone. */
import { existsSync } from 'node:fs';
import type { DiskNumbers } from '../../control/sysfs.ts';
import { readGoingDevice } from '../../record/going-device.ts';
import { findClaims } from './claims.ts';
import type { Holder } from './holder.ts';
import { findOpeners } from './openers.ts';

export function findHolders(id: number, numbers: DiskNumbers): Holder[] {
  const remembered = (readGoingDevice(id)?.stacked ?? []).filter(({ name }) => existsSync(`/sys/block/${name}`));
  const stacked = remembered.map(({ name, label }): Holder => ({ kind: 'device', name, label }));
  const claims = findClaims(id, numbers).filter(
    (claim) => claim.kind !== 'device' || !remembered.some(({ name }) => name === claim.name),
  );
  return [...claims, ...stacked, ...findOpeners(numbers)];
}
