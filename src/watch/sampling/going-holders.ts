/**
 * Who holds the devices that were deleted. Finding that out reads the open files of every process, so what was found is
 * kept for a while.
 */
import { describeHolders } from '../../block/holder.ts';
import { holdersOfGoing } from '../../device/remove/holders/going.ts';
import { readGoingDevice } from '../../record/going-device.ts';

const LOOK_EVERY_MS = 5000;

interface Found {
  readonly atMs: number;
  readonly text: string | null;
}

export class GoingHolders {
  readonly #found = new Map<number, Found>();

  /** In words that follow "it is still"; null when nobody was found, or when it is not known how the device was deleted. */
  of(id: number): string | null {
    const known = this.#found.get(id);
    if (known !== undefined && performance.now() - known.atMs < LOOK_EVERY_MS) return known.text;
    const text = holdersText(id);
    this.#found.set(id, { atMs: performance.now(), text });
    return text;
  }

  /** Forgets all devices but these. */
  keepOnly(ids: readonly number[]): void {
    for (const id of this.#found.keys()) if (!ids.includes(id)) this.#found.delete(id);
  }
}

function holdersText(id: number): string | null {
  const going = readGoingDevice(id);
  const holders = going === null ? [] : holdersOfGoing(going);
  return holders.length === 0 ? null : describeHolders(holders);
}
