/**
 * What a server holds of one device. A server that goes on without the device gives back all of it, also when the device
 * could not be started; one that ends with its device leaves the memory to the kernel.
 */
import { describeFailure } from '../errors.ts';
import { log } from './log.ts';

/** `isIdle`: no operation is under way that uses the memory of the device. */
type Release = (isIdle: boolean) => void | Promise<void>;
type ReleaseMemory = (isIdle: boolean) => void;
type Plain = () => void | Promise<void>;

export class Held {
  /** What keeps the device with this server: open files, a mapping of the char device, locks. */
  readonly #device: Release[] = [];
  readonly #memory: ReleaseMemory[] = [];
  #threads: Plain | undefined;
  #lock: Plain | undefined;

  /** What is added last is given back first. */
  add(release: Release): void {
    this.#device.push(release);
  }

  /** The lock of the device is given back after everything of it: who waits for it may have the device at once. */
  setLock(release: Plain): void {
    this.#lock = release;
  }

  addMemory(release: ReleaseMemory): void {
    this.#memory.push(release);
  }

  setThreads(release: Plain): void {
    this.#threads = release;
  }

  /** The threads have left their loops, and no request is in hand: others may have the device at once. */
  async leave(): Promise<void> {
    await this.#release(true);
  }

  /** After `leave`: gives back the memory, when no thread can look at it any more. */
  async free(): Promise<void> {
    await this.#endThreads();
    for (const release of this.#memory.splice(0).toReversed()) await attempt(() => release(true));
  }

  /**
   * Gives everything back although requests may be in hand: the device could not be started, or one of its threads has
   * failed. The driver does with the requests what the device was made for.
   */
  async giveUp(): Promise<void> {
    await this.#endThreads();
    await this.#release(false);
    for (const release of this.#memory.splice(0).toReversed()) await attempt(() => release(false));
  }

  async #release(isIdle: boolean): Promise<void> {
    for (const release of this.#device.splice(0).toReversed()) await attempt(() => release(isIdle));
    const lock = this.#lock;
    this.#lock = undefined;
    if (lock !== undefined) await attempt(lock);
  }

  async #endThreads(): Promise<void> {
    const release = this.#threads;
    this.#threads = undefined;
    if (release !== undefined) await attempt(release);
  }
}

/** What fails is logged, and the rest is given back all the same. */
async function attempt(release: Plain): Promise<void> {
  try {
    await release();
  } catch (error) {
    log(`a resource of the device could not be released: ${describeFailure(error)}`);
  }
}
