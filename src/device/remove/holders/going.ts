/** Finds out who still holds a device that is being deleted. */
import { existsSync } from 'node:fs';
import { distinct, type Holder } from '../../../block/holder.ts';
import { findClaims } from '../../../block/claims.ts';
import { fileSystemUses } from '../../../block/file-systems.ts';
import { findOpeners } from '../../../block/openers.ts';
import type { DiskNumbers } from '../../../control/sysfs.ts';
import { type GoingDevice, readGoingDevice } from '../../../record/going-device.ts';

/** Reads the mounts and the open files of every process, so it should be called seldom. */
export function holdersOfGoing(going: GoingDevice): Holder[] {
  return findHolders(going.id, going);
}

/**
 * Finds the holders of a device that may have left sysfs. What was made of it is then known from the file that was written
 * before it was deleted.
 */
export function findHolders(id: number, { devices, charDevice }: DiskNumbers): Holder[] {
  const stacked = (readGoingDevice(id)?.stacked ?? []).filter(({ name }) => existsSync(`/sys/block/${name}`));
  const remembered = stacked.map((one): Holder => ({ kind: 'device', ...one }));
  const claimants = findClaims(devices).map(({ claimant }) => claimant);
  const unseen = claimants.length > 0 ? [] : unseenFileSystems(id);
  return distinct([...claimants, ...unseen, ...remembered, ...findOpeners(devices, charDevice)]);
}

/** The file systems on a disk that has left sysfs, and its number with it. They still have its name. */
function unseenFileSystems(id: number): Holder[] {
  const disk = new RegExp(`^ublkb${id}(p\\d+)?$`);
  const uses = fileSystemUses().filter(({ device }) => disk.test(device));
  return uses.map(({ fileSystem }): Holder => ({ kind: 'file-system', fileSystem }));
}
