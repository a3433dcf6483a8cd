/**
 * A resident server that a program holds open: it adds and deletes devices without a process for each, and hears what
 * becomes of them.
 */
import { EventEmitter } from 'node:events';
import type { WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { decodeError } from '../../protocol/error-wire.ts';
import { followResident, type Following } from '../../protocol/follow-resident.ts';
import type { ResidentEvent } from '../../protocol/resident-requests.ts';
import { residentFiles } from '../../record/files.ts';
import type { AddOptions, AddRequest } from '../../spec/options.ts';
import { DEFAULT_SERVER, serverName } from '../../spec/server-options.ts';
import { addDevice } from '../add/add-device.ts';
import { deleteDevice, type DeleteOptions } from '../remove/delete.ts';
import { recoverDevice } from '../recover/recover.ts';
import type { StartedDevice } from '../report/report.ts';
import { askResidentToEnd, requireServer, type ServeOptions } from './serve.ts';

/** The arguments of each event's listeners. */
export interface OpenServerEvents {
  /** The device can be used. */
  live: [device: number];
  /** The device was stopped, deleted or quiesced, by this program or by any other. */
  left: [device: number];
  /** The server could not go on to serve the device. The others are served on. */
  failed: [device: number, error: UblkError];
  /** The server has ended, or was killed. It has no device any more. */
  end: [];
}

const END_MS = 15_000;

export class OpenServer extends EventEmitter<OpenServerEvents> implements AsyncDisposable {
  readonly name: string;
  readonly #devices = new Set<number>();
  readonly #ended = Promise.withResolvers<void>();
  /** Resolves when the server has told which devices it has. */
  readonly #told = Promise.withResolvers<void>();
  #following: Following | undefined;
  #isClosed = false;
  #isEnded = false;

  private constructor(name: string) {
    super();
    this.name = name;
  }

  /** See `openServer`. */
  static async open(name: string): Promise<OpenServer> {
    const server = new OpenServer(name);
    const resident = { name, path: residentFiles(name).socket };
    server.#following = await followResident(resident, {
      happened: (event) => server.#happened(event),
      ended: () => server.#end(),
    });
    await server.#told.promise;
    return server;
  }

  get pid(): number {
    return this.#following?.pid ?? -1;
  }

  /** The ids of the devices that the server has now, in order. */
  get devices(): number[] {
    return [...this.#devices].toSorted((a, b) => a - b);
  }

  /** Resolves when the device is live. `waiting.signal` gives up; nothing is left then. */
  add(request: Omit<AddRequest, 'server'>, waiting: WaitOptions = {}): Promise<StartedDevice> {
    return addDevice({ ...request, server: this.name }, waiting);
  }

  /** Gives this server a device that has lost its own. */
  recover(id: number, overrides: Partial<AddOptions> = {}, waiting: WaitOptions = {}): Promise<StartedDevice> {
    return recoverDevice(id, { ...overrides, server: this.name }, waiting);
  }

  /** Resolves when the id is free. */
  delete(id: number, options: DeleteOptions = {}): Promise<void> {
    return deleteDevice(id, options);
  }

  /** Disconnects from the server, which goes on to serve its devices. No events come afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#following?.stop();
    await this.#ended.promise;
  }

  /**
   * Asks the server to end: devices that nobody uses are stopped and deleted. Resolves when it has ended. Throws a UblkError
   * of kind `busy` when it serves on, because a device is in use.
   */
  async end({ signal, timeoutMs = END_MS }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#isEnded) await askResidentToEnd(this.name, signal);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(busyError(this.name, this.devices, timeoutMs)), timeoutMs);
    const abort = (): void => late.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#ended.promise, late.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #happened(event: ResidentEvent): void {
    switch (event.event) {
      case 'devices':
        for (const device of event.devices) this.#devices.add(device);
        this.#told.resolve();
        return;
      case 'live':
        this.#devices.add(event.device);
        this.emit('live', event.device);
        return;
      case 'left':
        this.#devices.delete(event.device);
        this.emit('left', event.device);
        return;
      default:
        this.#devices.delete(event.device);
        this.emit('failed', event.device, decodeError(event.error));
    }
  }

  #end(): void {
    this.#devices.clear();
    this.#isEnded = true;
    this.#ended.resolve();
    this.#told.resolve();
    if (!this.#isClosed) this.emit('end');
  }
}

/**
 * Opens the resident server of the name, and starts it if there is none; `threads` and `cpus` are for one that is started.
 * The open server keeps the program running until `close` or `end`.
 */
export async function openServer(options: ServeOptions = {}, waiting: WaitOptions = {}): Promise<OpenServer> {
  const name = serverName(options.name ?? DEFAULT_SERVER);
  await requireServer(name, waiting, options);
  return OpenServer.open(name);
}

function busyError(name: string, devices: readonly number[], timeoutMs: number): UblkError {
  const which = devices.length === 1 ? `device ${devices[0]}` : `devices ${devices.join(', ')}`;
  return new UblkError(`the server ${name} has not ended within ${timeoutMs / 1000} s: it still has ${which}`, {
    code: 'EBUSY',
    kind: 'busy',
    hint: `its log says which of them are in use, and by whom: ${residentFiles(name).log}; it ends when the others have left`,
  });
}
