/**
 * Gives the memory of a device's I/O buffers back when the device has been idle for a while. Whether it is idle is in the
 * counters of its stats page; whether a buffer may be given back only the queue's thread knows (queue/shared/rest.ts).
 */
import { Block, blockOffset } from '../stats/layout.ts';
import type { DeviceThreads } from './device-threads.ts';
import type { SharedMaps } from './mappings.ts';

export class IdleBuffers {
  readonly #words: Int32Array;
  /** Where each block begins, in words. */
  readonly #blocks: readonly number[];
  readonly #threads: Pick<DeviceThreads, 'rest'>;
  /** The requests that had come and gone at the last look. */
  #seen = 0;
  /** Nothing has been used since the memory was given back. */
  #isResting = true;
  #isStopped = false;

  constructor({ stats, statsBlocks }: Pick<SharedMaps, 'stats' | 'statsBlocks'>, threads: Pick<DeviceThreads, 'rest'>) {
    this.#words = stats.words();
    this.#blocks = statsBlocks
      .flat()
      .filter((block) => block >= 0)
      .map((block) => blockOffset(block) / 4);
    this.#threads = threads;
  }

  /** Gives the memory back if nothing has happened since the last look, and something before. */
  look(): void {
    if (this.#isStopped) return;
    const seen = this.#count();
    if (seen !== this.#seen) this.#isResting = false;
    else if (!this.#isResting) {
      this.#isResting = true;
      this.#threads.rest();
    }
    this.#seen = seen;
  }

  /** The stats page is about to be unmapped. */
  stop(): void {
    this.#isStopped = true;
  }

  #count(): number {
    let count = 0;
    for (const at of this.#blocks) count += this.#words[at + Block.arrived]! + this.#words[at + Block.finished]!;
    return count;
  }
}
