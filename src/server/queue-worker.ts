/** One queue thread of a device, as the main thread handles it. */
import { closeSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UblkError } from '../errors.ts';
import { eventfd, signalEventfd } from '../native/libc/calls.ts';
import { MappedMemory } from '../native/memory.ts';
import { closeRemains, type RingRemains } from '../native/ring/remains.ts';
import { shortageOf } from '../native/shortage.ts';
import { THREAD_LIMITS } from '../native/thread-limits.ts';
import { packagePath } from '../package-root.ts';
import { decodeError } from '../protocol/error-wire.ts';
import { isThreadMessage, type ThreadConfig, type ThreadMessage } from '../queue/thread-config.ts';
import type { Fetched } from './device-threads.ts';

/** How long what a target has left open, a timer or a socket, may keep a thread that has left its loop. */
const LEFT_OPEN_MS = 1000;

/** What one thread is started with. What wakes it is added here, and what orders it where it is started. */
export type ThreadSetup = Omit<ThreadConfig, 'wakeFd' | 'order'>;

export class QueueWorker {
  readonly #worker: Worker;
  readonly #wakeFd = eventfd();
  readonly #setup: ThreadSetup;
  /** The file of the target; null for a built-in one. */
  readonly #file: string | null;
  readonly #onLeft: () => void;
  readonly #fetched = Promise.withResolvers<Fetched>();
  readonly #left = Promise.withResolvers<string | null>();
  readonly #exited = Promise.withResolvers<void>();
  /** The ring that the thread has not closed. */
  #ring: RingRemains | null = null;
  #isOpening = false;
  /** Memory that the thread has mapped and left. */
  #memory: readonly MappedMemory[] = [];

  /** Throws when it cannot be started; then nothing of it is left. `onLeft` is called when it has left its loop. */
  constructor(setup: ThreadSetup, order: SharedArrayBuffer, onLeft: () => void) {
    const { target } = setup.spec;
    this.#setup = setup;
    this.#file = isAbsolute(target) ? target : null;
    this.#onLeft = onLeft;
    const workerData: ThreadConfig = { ...setup, wakeFd: this.#wakeFd, order };
    try {
      this.#worker = new Worker(packagePath('dist/queue/main.cjs'), {
        workerData,
        // A thread closes descriptors that Node has not opened: its target's sockets, for one.
        trackUnmanagedFds: false,
        resourceLimits: THREAD_LIMITS,
      });
    } catch (error) {
      closeSync(this.#wakeFd);
      throw error;
    }
    this.#worker.on('message', (message: unknown) => {
      if (isThreadMessage(message)) this.#hear(message);
    });
    this.#worker.on('error', (error) => this.#fail(this.#endInOpen(`it failed: ${error.message}`) ?? error));
    this.#worker.on('exit', (code) => this.#gone(code));
    // The failure reaches whoever waits; that nobody waits yet must not end the process.
    for (const { promise } of [this.#fetched, this.#left]) promise.catch(() => {});
  }

  /** Whether it runs its half of the target's `open` now. */
  get isOpening(): boolean {
    return this.#isOpening;
  }

  /** Resolves when each of its tags has been fetched. */
  get fetched(): Promise<Fetched> {
    return this.#fetched.promise;
  }

  /** Resolves when it has left its loop, to why its target could not be closed, or to null; rejects when it fails. */
  get left(): Promise<string | null> {
    return this.#left.promise;
  }

  /** Resolves when the thread has ended. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  wake(): void {
    signalEventfd(this.#wakeFd);
  }

  terminate(): void {
    void this.#worker.terminate();
  }

  /** Closes and unmaps what the thread, which has ended, used. */
  release(): void {
    for (const memory of this.#memory) memory.unmap();
    closeSync(this.#wakeFd);
  }

  #hear(message: ThreadMessage): void {
    switch (message.kind) {
      case 'ring':
        this.#ring = message.ring;
        return;
      case 'opening':
        this.#isOpening = message.isOpening;
        return;
      case 'fetched':
        this.#fetched.resolve({ notes: message.notes, params: message.params });
        return;
      case 'left':
        this.#hasLeft(message.problem, message.mapped);
        return;
      case 'failed':
        this.#fail(decodeError({ ...message.error, device: this.#setup.deviceId }));
        return;
      default:
    }
  }

  #hasLeft(problem: string | null, mapped: readonly bigint[]): void {
    const { maxIoBufBytes } = this.#setup.spec;
    this.#left.resolve(problem);
    this.#memory = mapped.map((address) => new MappedMemory(address, maxIoBufBytes));
    setTimeout(() => this.terminate(), LEFT_OPEN_MS).unref();
    this.#onLeft();
  }

  #gone(code: number): void {
    if (this.#ring !== null) closeRemains(this.#ring);
    const how =
      code === 0
        ? 'nothing was left that could settle its promise, or it called process.exit'
        : `it ended with exit code ${code}`;
    this.#fail(this.#endInOpen(how) ?? endedError(this.#file, this.#setup.index));
    this.#exited.resolve();
  }

  #fail(thrown: Error): void {
    const error = shortageOf(thrown) ?? thrown;
    this.#fetched.reject(error);
    this.#left.reject(error);
  }

  /** The error of a thread that has ended in its half of the `open` of a file; null: not in that. */
  #endInOpen(how: string): UblkError | null {
    if (this.#file === null || !this.#isOpening) return null;
    return new UblkError(`\`open\` of target ${this.#file} ended its thread (${this.#setup.index}): ${how}`, {
      code: 'BAD_TARGET',
      kind: 'failed',
      command: 'open',
    });
  }
}

/** The error of a thread that has ended while it served; only code of a target's own can end it. */
function endedError(file: string | null, index: number): Error {
  if (file === null) return new Error(`queue thread ${index} ended`);
  return new UblkError(`target ${file} ended its thread (${index}), most likely with process.exit`, {
    code: 'BAD_TARGET',
    kind: 'failed',
    hint: 'let its handlers throw an error instead',
  });
}
