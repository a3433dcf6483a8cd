/** The queue threads of a device: the main thread starts, wakes and awaits them together. */
import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UblkError } from '../errors.ts';
import { DRAIN, LEAVE, STAY } from '../queue/wake-up.ts';
import { silentError, START_SECONDS } from '../targets/load/bound.ts';
import type { DeviceThreads, Fetched } from './device-threads.ts';
import { QueueWorker, type ThreadSetup } from './queue-worker.ts';

/** How long a thread of a device that is given up has to leave, and its target to store what it holds. */
const GIVEN_UP_MS = 5000;

export class QueueThreads implements DeviceThreads {
  readonly #threads: QueueWorker[] = [];
  /** The file of the target; null for a built-in one. */
  #file: string | null = null;
  readonly #order = new Int32Array(new SharedArrayBuffer(4));
  #isReleased = false;

  /** Throws when one cannot be started. `release` ends those that were started before. */
  start(setups: readonly ThreadSetup[]): void {
    const target = setups[0]?.spec.target ?? '';
    if (isAbsolute(target)) this.#file = target;
    // The commands of a thread that leaves were aborted. A thread whose tags all had requests just then was told nothing.
    for (const setup of setups) this.#threads.push(new QueueWorker(setup, this.#order.buffer, () => this.drain()));
  }

  /** Resolves when every tag has been fetched. */
  async fetched(): Promise<Fetched> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      // `open` of a target in a file is most of it.
      timer = setTimeout(() => reject(this.#lateError()), START_SECONDS * 1000);
    });
    try {
      const all = await Promise.race([Promise.all(this.#threads.map(({ fetched }) => fetched)), late]);
      const params = all[0]?.params;
      if (!all.every((each) => isDeepStrictEqual(each.params, params))) throw differingError();
      return { notes: [...new Set(all.flatMap(({ notes }) => notes))], params };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when every thread has left its loop, as in DeviceThreads; rejects as soon as one fails. */
  async left(): Promise<string | null> {
    const problems = await Promise.all(this.#threads.map(({ left }) => left));
    return problems.find((problem) => problem !== null) ?? null;
  }

  wake(): void {
    if (this.#isReleased) return;
    for (const thread of this.#threads) thread.wake();
  }

  /** Makes the threads leave at once. Only before the device has started: afterwards requests would be lost. */
  leave(): void {
    Atomics.store(this.#order, 0, LEAVE);
    this.wake();
  }

  /**
   * Makes each thread leave when it has no request in hand. The driver must have stopped to deliver, or must be about
   * to.
   */
  drain(): void {
    if (Atomics.compareExchange(this.#order, 0, STAY, DRAIN) === STAY) this.wake();
  }

  /** The threads of one device keep their buffers. */
  rest(): void {}

  /**
   * Resolves when no thread of the device runs any more, and closes what they were woken by. Threads that have not left
   * are made to: their requests stay with the driver.
   */
  async release(): Promise<void> {
    this.leave();
    const timer = setTimeout(() => this.#threads.forEach((thread) => thread.terminate()), GIVEN_UP_MS);
    await Promise.all(this.#threads.map(({ exited }) => exited));
    clearTimeout(timer);
    this.#isReleased = true;
    for (const thread of this.#threads) thread.release();
  }

  #lateError(): UblkError {
    const isOpening = this.#threads.some((thread) => thread.isOpening);
    return this.#file !== null && isOpening ? silentError('open', this.#file) : lateError();
  }
}

function differingError(): UblkError {
  return new UblkError('the threads of the target do not say the same of the device', {
    code: 'BAD_TARGET',
    kind: 'usage',
    hint: 'let `open` return the same size, blocks and handlers on every thread',
  });
}

function lateError(): UblkError {
  return new UblkError(`the queue threads did not fetch within ${START_SECONDS} s`, {
    code: 'TIMEOUT',
    command: 'FETCH_REQ',
    hint: 'the machine may be overloaded: try again; `dmesg` says what the driver waits for',
  });
}
