/**
 * A resident server that a program holds open: it adds and deletes devices without a process for each, and hears what
 * becomes of them.
 */
import { EventEmitter } from 'node:events';
import { milliseconds } from '../../clock.ts';
import { bounded, requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { decodeError } from '../../protocol/error-wire.ts';
import { hasEnded, isGone } from '../../protocol/ask-resident.ts';
import { residentFiles } from '../../record/files.ts';
import { given, type OrUndefined } from '../../spec/given.ts';
import type { AddOptions, AddRequest } from '../../spec/options.ts';
import {
  checkServerOptions,
  DEFAULT_SERVER,
  SERVER_DEFAULTS,
  serverName,
  type ServerOptions,
} from '../../spec/server-options.ts';
import { addDevice } from '../add/add-device.ts';
import { deleteDevice, type DeleteOptions } from '../remove/delete.ts';
import { recoverDevice } from '../recover/recover.ts';
import type { StartedDevice } from '../report/report.ts';
import { type DeviceEvent, FollowedServer } from './followed-server.ts';
import { askResidentToEnd, requireServer, type ServeOptions } from './serve.ts';

/**
 * The arguments of each event's listeners. What a listener throws is an uncaught exception, as with any EventEmitter, and
 * the events go on.
 */
export interface OpenServerEvents {
  /** The device can be used. */
  live: [device: number];
  /** The device was stopped, deleted or quiesced, by this program or by any other. */
  left: [device: number];
  /** The server could not go on to serve the device. The others are served on. */
  failed: [device: number, error: UblkError];
  /** The server has ended, or was killed. It has no device any more. `recover` may start it again, and then it is followed again. */
  end: [];
}

const END_MS = 15_000;

/** A resident server that this program holds open. `openServer` makes one. */
export class OpenServer extends EventEmitter<OpenServerEvents> implements AsyncDisposable {
  /** The server's name, as `--server` and `list` have it. */
  readonly name: string;
  /** The process that is followed, or was followed last. */
  #server: FollowedServer | undefined;
  #following: Promise<void> | undefined;
  readonly #close = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(name: string) {
    super();
    this.name = name;
  }

  /** See `openServer`. */
  static async open(name: string): Promise<OpenServer> {
    const server = new OpenServer(name);
    server.#server = await server.#follow();
    return server;
  }

  /** The process of the server; when it has ended or after `close`, the one that it was. */
  get pid(): number {
    return this.#server?.pid ?? -1;
  }

  /** The ids of the devices that the server has now, in order. None after `close`, because nothing is heard of them then. */
  get devices(): number[] {
    return this.#isClosed ? [] : sorted(this.#server);
  }

  /**
   * Does what `addDevice` does, with its errors. Resolves when the device is live. `waiting.signal` gives up; nothing is left
   * then. Throws a UblkError with the code EBADF after `close`.
   */
  async add(request: OrUndefined<Omit<AddRequest, 'server'>>, waiting: WaitOptions = {}): Promise<StartedDevice> {
    this.#requireOpen();
    return this.#followed(addDevice({ ...request, server: this.name }, waiting));
  }

  /**
   * Gives this server a device that has lost its own, as `recoverDevice` does, with its errors. Starts the server again if it
   * has ended. Throws a UblkError with the code EBADF after `close`.
   */
  async recover(
    id: number,
    overrides: OrUndefined<Partial<AddOptions>> = {},
    waiting: WaitOptions = {},
  ): Promise<StartedDevice> {
    this.#requireOpen();
    return this.#followed(recoverDevice(id, { ...overrides, server: this.name }, waiting));
  }

  /** Does what `deleteDevice` does, with its errors: also with devices of other servers, and after `close`. */
  delete(id: number, options: DeleteOptions = {}): Promise<void> {
    return deleteDevice(id, options);
  }

  /** Disconnects from the server, which goes on to serve its devices. `add` and `recover` are refused afterwards, and no events come. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#close.resolve();
    await this.#server?.stop();
  }

  /**
   * Asks the server to end, also after `close`: devices that nobody uses are stopped and deleted. Resolves when it has ended.
   * Throws a UblkError of kind `busy` when it still serves after `timeoutMs` (default 15 s), because a device is in use.
   */
  async end(options: WaitOptions = {}): Promise<void> {
    requireWaiting(options);
    const { signal, timeoutMs = END_MS } = options;
    const begun = milliseconds();
    const server = this.#isClosed ? await this.#foundAgain(timeoutMs, signal) : this.#server;
    if (server === undefined || server.isEnded) return;
    try {
      await askToEnd(this.name, signal);
      await endOf(server, this.name, { signal, timeoutMs: Math.max(0, begun + timeoutMs - milliseconds()) });
      // Listeners hear of all earlier events first, because the caller may close this server at once.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    } finally {
      if (server !== this.#server) await server.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Throws after `close`, when this program no longer gets the events of a device that it adds. */
  #requireOpen(): void {
    if (this.#isClosed) throw closedError(this.name);
  }

  #follow(): Promise<FollowedServer> {
    return FollowedServer.follow(this.name, {
      happened: (event, server) => {
        if (server === this.#server) this.#tell(event);
      },
      ended: (server) => {
        if (server === this.#server) this.#emitSoon(() => this.emit('end'));
      },
    });
  }

  /** The device may have been given to a new process: the one that was followed has ended. */
  async #followed(starting: Promise<StartedDevice>): Promise<StartedDevice> {
    const device = await starting;
    const isOther = this.#server?.isEnded === true || device.ublksrv_pid !== this.pid;
    if (isOther && !this.#isClosed) {
      this.#following ??= this.#followAgain().finally(() => (this.#following = undefined));
      await this.#following;
    }
    return device;
  }

  async #followAgain(): Promise<void> {
    const before = this.#server;
    const next = await this.#follow();
    const isSame = before?.isEnded === false && before.pid === next.pid;
    // `end` is told of the one before the new one is heard.
    if (!isSame) await Promise.race([before?.ended, next.ended, this.#close.promise]);
    if (isSame || this.#isClosed) return next.stop();
    this.#server = next;
    for (const device of sorted(next)) this.#tell({ event: 'live', device });
    if (next.isEnded) this.#emitSoon(() => this.emit('end'));
    return undefined;
  }

  /**
   * The server that was closed; undefined if it has ended. It may be about to end, and listen no more, because somebody else
   * has asked it to.
   */
  async #foundAgain(timeoutMs: number, signal: AbortSignal | undefined): Promise<FollowedServer | undefined> {
    for (const begun = milliseconds(); ; signal?.throwIfAborted()) {
      try {
        const server = await FollowedServer.follow(this.name, { happened: () => {}, ended: () => {} });
        if (server.pid === this.pid) return server;
        // Another one that somebody has started since.
        await server.stop();
        return undefined;
      } catch (error) {
        if (!isGone(error)) throw error;
        if (await hasEnded(this.name)) return undefined;
        if (milliseconds() - begun >= timeoutMs) throw silentError(this.name, this.pid, timeoutMs);
      }
    }
  }

  #tell(event: DeviceEvent): void {
    this.#emitSoon(() => {
      if (event.event === 'failed') this.emit('failed', event.device, decodeError(event.error));
      else this.emit(event.event, event.device);
    });
  }

  /** Emits an event in a later tick, so that an error of a listener is an uncaught exception of the program and ends nothing else. */
  #emitSoon(emit: () => void): void {
    process.nextTick(() => {
      if (!this.#isClosed) emit();
    });
  }
}

/** One that has ended meanwhile need not be asked. */
async function askToEnd(name: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await askResidentToEnd(name, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function endOf(server: FollowedServer, name: string, { signal, timeoutMs = END_MS }: WaitOptions): Promise<void> {
  await bounded(server.ended, { signal, timeoutMs, late: () => busyError(name, sorted(server), timeoutMs) });
}

function sorted(server: FollowedServer | undefined): number[] {
  return [...(server?.devices ?? [])].toSorted((a, b) => a - b);
}

/**
 * Opens the resident server of the name, and starts it if there is none; `threads` and `cpus` are for one that is started.
 * The open server keeps the program running until `close` or `end`; when the program ends without them, the server goes on.
 * Throws a UblkError: of kind `usage` for options that no server can have, and otherwise one that says why the server has
 * not started or does not answer.
 */
export async function openServer(options: ServeOptions = {}, waiting: WaitOptions = {}): Promise<OpenServer> {
  const { name: asked = DEFAULT_SERVER, ...wanted } = given<Partial<ServerOptions & { name: string }>>(options);
  const name = serverName(asked);
  // One that runs already does not look at them.
  checkServerOptions({ ...SERVER_DEFAULTS, ...wanted });
  requireWaiting(waiting);
  await requireServer(name, waiting, options);
  return OpenServer.open(name);
}

function closedError(name: string): UblkError {
  return new UblkError(`the server ${name} was closed here and is given no device`, {
    code: 'EBADF',
    hint: 'open it again with openServer(), or name it as the `server` of addDevice()',
  });
}

function busyError(name: string, devices: readonly number[], timeoutMs: number): UblkError {
  const which = devices.length === 1 ? `device ${devices[0]}` : `devices ${devices.join(', ')}`;
  return new UblkError(`the server ${name} has not ended within ${timeoutMs / 1000} s: it still has ${which}`, {
    code: 'EBUSY',
    kind: 'busy',
    hint: `its log says which of them are in use, and by whom: ${residentFiles(name).log}; it ends when the others have left`,
  });
}

function silentError(name: string, pid: number, timeoutMs: number): UblkError {
  const waited = `${timeoutMs / 1000} s`;
  return new UblkError(`the server ${name} (pid ${pid}) does not answer, and has not ended within ${waited}`, {
    code: 'EBUSY',
    kind: 'busy',
    hint: `its log says what it waits for: ${residentFiles(name).log}; \`kill ${pid}\` asks it to end`,
  });
}
