/**
 * The mark of a device that is being deleted (record/going-device.ts), in the hands of the process that deletes it: it tells
 * the device from a new one that gets its id meanwhile. It is a help and no condition: on a /run that is full or read-only
 * there is no mark, the device is told by its record, and `list` does not show it while somebody still has it open.
 */
import { UblkError } from '../../errors.ts';
import { type GoingDevice, keepGoingDevice, readGoingDevice, writeGoingDevice } from '../../record/going-device.ts';
import { readRecord } from '../../record/store.ts';

export class GoingMark {
  readonly #id: number;
  /** The call that made the device, as in its record. */
  readonly #attempt: string | undefined;
  #isMissing = false;

  constructor(id: number) {
    this.#id = id;
    this.#attempt = readRecord(id)?.attempt;
  }

  write(device: Omit<GoingDevice, 'version' | 'id'>): void {
    this.#isMissing = !succeeds(() => writeGoingDevice({ id: this.#id, ...device }));
  }

  /** The device stays after all. */
  remove(): void {
    succeeds(() => keepGoingDevice(this.#id));
  }

  /** Whether a new device has the id. `add` takes the mark of the old one away. */
  isReplaced(): boolean {
    const record = readRecord(this.#id);
    if (record === null) return false;
    return this.#isMissing ? record.attempt !== this.#attempt : readGoingDevice(this.#id) === null;
  }

  /** Whether somebody else has seen that the device is gone, and has removed its files. */
  isForgotten(): boolean {
    return this.#isMissing ? this.isReplaced() : readGoingDevice(this.#id) === null;
  }
}

function succeeds(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (!(error instanceof UblkError)) throw error;
    return false;
  }
}
