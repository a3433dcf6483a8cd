/** Everybody who holds a device that is being deleted. */
import type { GoingDevice } from '../../record/going-device.ts';
import { findHolders } from './find.ts';
import type { Holder } from './holder.ts';

export function holdersOfGoing(going: GoingDevice): Holder[] {
  return findHolders(going.id, going);
}
