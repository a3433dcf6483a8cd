/** The shared threads of a resident server. Each is started when it is first needed. */
import { isAbsolute } from 'node:path';
import { DEBUG_REQUESTS } from '../../queue/debug-log.ts';
import type { DataPathName } from '../../spec/data-paths.ts';
import type { DeviceSpec } from '../../spec/device-spec.ts';
import type { ServerOptions } from '../../spec/server-options.ts';
import { isOneToOne } from '../../spec/threads.ts';
import { type Lane, type LaneRequest, type ReservedLane, SharedThread } from './shared-thread.ts';

/** The targets that give back all that they have, and leave the thread to others. fault_inject is for faults of a server. */
const TARGETS: ReadonlySet<string> = new Set(['null', 'loop', 'ram', 'stripe']);
/** The data paths that have nothing to do for a request, because the driver and the delivery do it (queue/shared/parts.ts). */
const PATHS: ReadonlySet<DataPathName> = new Set(['copy', 'get_data', 'auto_zc']);

export class SharedThreads {
  readonly #threads: SharedThread[] = [];
  readonly #most: number;
  readonly #cpus: readonly number[];
  #started = 0;

  constructor({ threads, cpus }: ServerOptions) {
    this.#most = threads;
    this.#cpus = cpus;
  }

  /** Whether the device gets shared threads, as long as they have room. */
  takes(spec: DeviceSpec): boolean {
    return this.#most > 0 && canShareThreads(spec);
  }

  /** Serves all of the queues; null when there is no room for all of them. */
  serve(requests: readonly LaneRequest[]): Lane[] | null {
    const reserved: ReservedLane[] = [];
    try {
      for (const request of requests) {
        const lane = this.#choose().reserve(request);
        if (lane === null) break;
        reserved.push(lane);
      }
      if (reserved.length === requests.length) return reserved.splice(0).map((lane) => lane.serve());
      return null;
    } finally {
      for (const lane of reserved) lane.giveBack();
    }
  }

  /** Resolves when all threads have ended. There must be no lanes. */
  async end(): Promise<void> {
    await Promise.all(this.#threads.filter(({ works }) => works).map((thread) => thread.end()));
  }

  /** A new thread while there are few, and otherwise the one that serves the fewest slots. */
  #choose(): SharedThread {
    const working = this.#threads.filter(({ works }) => works);
    const idle = working.find(({ load }) => load === 0);
    if (idle !== undefined) return idle;
    if (working.length < this.#most) {
      const thread = new SharedThread(this.#started++, this.#cpus);
      this.#threads.push(thread);
      return thread;
    }
    return working.reduce((least, thread) => (thread.load < least.load ? thread : least));
  }
}

/** Whether shared threads could serve the device. All others have threads of their own in the same process. */
function canShareThreads(spec: DeviceSpec): boolean {
  const { target, delivery, dataPath, integrity, sharedMemory, cpus, noUblkFixedFd, debugMask } = spec;
  const isPlain = integrity === null && !sharedMemory && !noUblkFixedFd && (debugMask & DEBUG_REQUESTS) === 0;
  return (
    isPlain &&
    !isAbsolute(target) &&
    TARGETS.has(target) &&
    delivery !== 'batch' &&
    PATHS.has(dataPath) &&
    isOneToOne(spec) &&
    cpus.length === 0
  );
}
