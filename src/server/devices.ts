/** The devices that this process serves. */
import { type ServedDevice, serveDevice, type StartMode } from './serve-device.ts';

export class Devices {
  readonly #served = new Map<number, ServedDevice>();

  /** Resolves when the device is live; it stays in the table until it is gone. */
  async start(id: number, mode: StartMode): Promise<ServedDevice> {
    const device = await serveDevice(id, mode);
    this.#served.set(id, device);
    const forget = () => void this.#served.delete(id);
    device.gone.then(forget, forget);
    return device;
  }

  get ids(): number[] {
    return [...this.#served.keys()];
  }
}
