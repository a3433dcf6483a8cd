/**
 * The devices that this process serves. One that leaves, or fails, takes what it had with it, and nothing of the
 * others.
 */
import { SpareRing } from '../control/command-ring.ts';
import { Held } from './held.ts';
import { log } from './log.ts';
import { noteEnd } from './noted-end.ts';
import { ProcessSetup } from './process-setup.ts';
import type { SharedThreads } from './shared/shared-threads.ts';
import { serveDevice } from './serve-device.ts';
import type { ServedDevice, Start } from './serving.ts';

export class Devices {
  readonly #served = new Map<number, ServedDevice>();
  readonly #setup = new ProcessSetup();
  readonly #spareRing: SpareRing | null;
  /** The name of the resident server that this process is; null for a server of one device. */
  readonly #server: string | null;
  readonly #shared: SharedThreads | null;
  readonly #requireWanted: () => void;
  readonly #starting = new Set<Start>();

  /** `requireWanted` throws when no device is to be started any more, not even one that is about to be live. */
  constructor(server: string | null, shared: SharedThreads | null = null, requireWanted: () => void = () => {}) {
    this.#server = server;
    this.#shared = shared;
    this.#requireWanted = requireWanted;
    this.#spareRing = server === null ? null : new SpareRing();
  }

  /** Resolves when the device is live; it stays in the table until it has left. */
  async start(start: Start): Promise<ServedDevice> {
    const held = new Held();
    this.#starting.add(start);
    try {
      const device = await serveDevice(start, {
        setup: this.#setup,
        held,
        server: this.#server,
        shared: this.#shared,
        spareRing: this.#spareRing,
        requireWanted: this.#requireWanted,
      });
      this.#served.set(device.id, device);
      device.gone.then(
        () => this.#left(device, held),
        (error: unknown) => this.#failed(device, held, error as Error),
      );
      return device;
    } catch (error) {
      // The driver may give back the tags of shared threads only when whoever asked has heard of this and deletes the device.
      void held.giveUp();
      throw error;
    } finally {
      this.#starting.delete(start);
    }
  }

  get(id: number): ServedDevice | undefined {
    return this.#served.get(id);
  }

  get ids(): number[] {
    return [...this.#served.keys()];
  }

  /** The ids of devices that are being started, and are not served yet. */
  get starting(): number[] {
    return [...this.#starting].map(({ id }) => id);
  }

  /** Makes idle devices give memory back. */
  look(): void {
    for (const device of this.#served.values()) device.look();
  }

  /** Whether no device is served, and none is being started. */
  get isEmpty(): boolean {
    return this.#served.size === 0 && this.#starting.size === 0;
  }

  /** A device with the same id may be here already: the id is free as soon as the char device is closed. */
  #forget(device: ServedDevice): void {
    if (this.#served.get(device.id) === device) this.#served.delete(device.id);
  }

  async #left(device: ServedDevice, held: Held): Promise<void> {
    this.#forget(device);
    await held.free();
  }

  async #failed(device: ServedDevice, held: Held, error: Error): Promise<void> {
    log(`device ${device.id} has failed: ${error.message}`);
    noteEnd(device.id, 'failed', error.message);
    await held.giveUp();
    this.#forget(device);
  }
}
