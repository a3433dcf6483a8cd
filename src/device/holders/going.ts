/** Who still holds a device that was deleted. */
import type { GoingDevice } from '../../record/going-device.ts';
import { findClaims } from './claims.ts';
import type { Holder } from './holder.ts';
import { findOpeners } from './openers.ts';

/** Reads the mounts and the open files of every process. Call it seldom. */
export function holdersOfGoing(going: GoingDevice): Holder[] {
  return [...findClaims(going.id, going), ...findOpeners(going)];
}
