/**
 * One process of a resident server, followed until it has ended. A connection that ends does not say that the process has:
 * it is made again while the process lives, and what has happened meanwhile is told then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { followResident, type Following } from '../../protocol/follow-resident.ts';
import type { ResidentEvent } from '../../protocol/resident-requests.ts';
import { residentFiles } from '../../record/files.ts';
import { isServerLockHeld } from '../../record/server-lock.ts';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

export type DeviceEvent = Exclude<ResidentEvent, { readonly event: 'devices' }>;

/** Neither is called after `stop`, and neither may throw. */
export interface ServerFollowers {
  /** Is called for each device that the server gets or loses. Devices that it had from the start are only in `devices`. */
  readonly happened: (event: DeviceEvent, server: FollowedServer) => void;
  /** The process has ended. */
  readonly ended: (server: FollowedServer) => void;
}

interface Connection {
  readonly following: Following;
  readonly closed: Promise<void>;
}

export class FollowedServer {
  /** The devices that it has now. */
  readonly devices = new Set<number>();
  readonly #name: string;
  readonly #followers: ServerFollowers;
  readonly #end = Promise.withResolvers<void>();
  /** Whether the server has told once which devices it has. */
  #isTold = false;
  #pid: number | null = null;
  #connection: Connection | undefined;
  #isStopped = false;
  #isEnded = false;

  private constructor(name: string, followers: ServerFollowers) {
    this.#name = name;
    this.#followers = followers;
  }

  /** Follows the process that has the name now. Resolves when it has told which devices it has. */
  static async follow(name: string, followers: ServerFollowers): Promise<FollowedServer> {
    const server = new FollowedServer(name, followers);
    void server.#stay(await server.#connect());
    return server;
  }

  get pid(): number {
    return this.#pid ?? -1;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Resolves when the process has ended; never after `stop`. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** Resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#connection?.following.stop();
    await this.#connection?.closed;
  }

  async #connect(): Promise<Connection> {
    const [told, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const following = await followResident(
      { name: this.#name, path: residentFiles(this.#name).socket },
      {
        happened: (event, from) => {
          this.#pid ??= from;
          if (from === this.#pid) this.#happened(event);
          told.resolve();
        },
        disconnected: () => {
          told.resolve();
          closed.resolve();
        },
      },
    );
    this.#pid ??= following.pid;
    const connection = { following, closed: closed.promise };
    this.#connection = connection;
    if (this.#isStopped) following.stop();
    await told.promise;
    return connection;
  }

  /** Stays connected until the process has ended. */
  async #stay(first: Connection): Promise<void> {
    for (let connection: Connection | null = first; connection !== null; connection = await this.#connectAgain())
      await connection.closed;
    if (this.#isStopped) return;
    this.#isEnded = true;
    this.devices.clear();
    this.#followers.ended(this);
    this.#end.resolve();
  }

  /** Resolves to null when the process has ended, or is not followed any more. */
  async #connectAgain(): Promise<Connection | null> {
    for (let pause = FIRST_PAUSE_MS; !this.#isStopped && mayRun(this.#name); ) {
      const connection = await this.#connect().catch(() => null);
      if (connection?.following.pid === this.#pid) return connection;
      if (connection !== null) {
        // Another process has taken the name, which it gets when this one has ended.
        connection.following.stop();
        return null;
      }
      await sleep(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
    return null;
  }

  #happened(event: ResidentEvent): void {
    if (event.event !== 'devices') {
      this.#tell(event);
    } else if (this.#isTold) {
      for (const device of this.devices) if (!event.devices.includes(device)) this.#tell({ event: 'left', device });
      for (const device of event.devices) if (!this.devices.has(device)) this.#tell({ event: 'live', device });
    } else {
      this.#isTold = true;
      for (const device of event.devices) this.devices.add(device);
    }
  }

  #tell(event: DeviceEvent): void {
    if (this.#isStopped) return;
    if (event.event === 'live') this.devices.add(event.device);
    else this.devices.delete(event.device);
    this.#followers.happened(event, this);
  }
}

/** Whether there may be a process of that name. One that is killed is seen no later than its files are closed. */
function mayRun(name: string): boolean {
  try {
    return isServerLockHeld(residentFiles(name).lock);
  } catch {
    return true;
  }
}
