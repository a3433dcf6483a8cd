/** The queue threads of a device, as the main thread handles them: it starts, wakes and awaits them together. */
import { closeSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { UblkError } from '../errors.ts';
import { eventfd, signalEventfd } from '../native/libc/calls.ts';
import { MappedMemory } from '../native/memory.ts';
import { closeRemains, type RingRemains } from '../native/ring/remains.ts';
import { shortageOf } from '../native/shortage.ts';
import { THREAD_LIMITS } from '../native/thread-limits.ts';
import { packagePath } from '../package-root.ts';
import { decodeError } from '../protocol/error-wire.ts';
import { isThreadMessage, type ThreadConfig } from '../queue/thread-config.ts';
import { DRAIN, LEAVE, STAY } from '../queue/wake-up.ts';
import { silentError, START_SECONDS } from '../targets/load/bound.ts';
import type { DeviceThreads, Fetched } from './device-threads.ts';

const LEFT_OPEN_MS = 1000;
/** How long a thread of a device that is given up has to leave, and its target to store what it holds. */
const GIVEN_UP_MS = 5000;

/** What one thread is started with. What wakes it and what orders it are added here. */
export type ThreadSetup = Omit<ThreadConfig, 'wakeFd' | 'order'>;

export class QueueThreads implements DeviceThreads {
  readonly #workers: Worker[] = [];
  readonly #wakeFds: number[] = [];
  readonly #fetched: Promise<Fetched>[] = [];
  readonly #left: Promise<string | null>[] = [];
  readonly #exited: Promise<void>[] = [];
  /** The rings that their threads have not closed. */
  readonly #rings = new Map<Worker, RingRemains>();
  /** The threads that run their target's `open` now. */
  readonly #opening = new Set<Worker>();
  /** Memory that threads have mapped and left. */
  readonly #memory: MappedMemory[] = [];
  /** The file of the target; null for a built-in one. */
  #file: string | null = null;
  readonly #order = new Int32Array(new SharedArrayBuffer(4));
  #isReleased = false;

  /** Throws when one cannot be started. `release` ends those that were started before. */
  start(setups: readonly ThreadSetup[]): void {
    const target = setups[0]?.spec.target ?? '';
    if (isAbsolute(target)) this.#file = target;
    for (const setup of setups) this.#start(setup);
  }

  /** Resolves when every tag has been fetched. */
  async fetched(): Promise<Fetched> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      // `open` of a target in a file is most of it.
      timer = setTimeout(() => reject(this.#lateError()), START_SECONDS * 1000);
    });
    try {
      const all = await Promise.race([Promise.all(this.#fetched), late]);
      const params = all[0]?.params;
      if (!all.every((each) => isDeepStrictEqual(each.params, params))) throw differingError();
      return { notes: [...new Set(all.flatMap(({ notes }) => notes))], params };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when every thread has left its loop, as in DeviceThreads; rejects as soon as one fails. */
  async left(): Promise<string | null> {
    return (await Promise.all(this.#left)).find((problem) => problem !== null) ?? null;
  }

  wake(): void {
    if (this.#isReleased) return;
    for (const fd of this.#wakeFds) signalEventfd(fd);
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
    const timer = setTimeout(() => this.#workers.forEach((worker) => void worker.terminate()), GIVEN_UP_MS);
    await Promise.all(this.#exited);
    clearTimeout(timer);
    this.#isReleased = true;
    for (const memory of this.#memory) memory.unmap();
    for (const fd of this.#wakeFds) closeSync(fd);
  }

  #start(setup: ThreadSetup): void {
    const wakeFd = eventfd();
    this.#wakeFds.push(wakeFd);
    const config: ThreadConfig = { ...setup, wakeFd, order: this.#order.buffer };
    const worker = new Worker(packagePath('dist/queue/main.cjs'), {
      workerData: config,
      // A thread closes descriptors that Node has not opened: its target's sockets, for one.
      trackUnmanagedFds: false,
      resourceLimits: THREAD_LIMITS,
    });
    this.#workers.push(worker);
    const fetched = Promise.withResolvers<Fetched>();
    const left = Promise.withResolvers<string | null>();
    const fail = (thrown: Error) => {
      const error = shortageOf(thrown) ?? thrown;
      fetched.reject(error);
      left.reject(error);
    };
    worker.on('message', (message: unknown) => {
      if (!isThreadMessage(message)) return;
      if (message.kind === 'ring') {
        if (message.ring === null) this.#rings.delete(worker);
        else this.#rings.set(worker, message.ring);
      } else if (message.kind === 'opening') {
        if (message.isOpening) this.#opening.add(worker);
        else this.#opening.delete(worker);
      } else if (message.kind === 'fetched') {
        fetched.resolve({ notes: message.notes, params: message.params });
      } else if (message.kind === 'left') {
        left.resolve(message.problem);
        const { maxIoBufBytes } = config.spec;
        this.#memory.push(...message.mapped.map((address) => new MappedMemory(address, maxIoBufBytes)));
        // What a target has left open, a timer or a socket, must not keep the server.
        setTimeout(() => void worker.terminate(), LEFT_OPEN_MS).unref();
        // Its commands were aborted. A thread whose tags all had requests just then was told nothing.
        this.drain();
      } else fail(decodeError({ ...message.error, device: config.deviceId }));
    });
    worker.on('error', (error) => fail(this.#endError(worker, config.index, `it failed: ${error.message}`) ?? error));
    const exited = Promise.withResolvers<void>();
    worker.on('exit', (code) => {
      const ring = this.#rings.get(worker);
      if (ring !== undefined) closeRemains(ring);
      const how =
        code === 0
          ? 'nothing was left that could settle its promise, or it called process.exit'
          : `it ended with exit code ${code}`;
      fail(this.#endError(worker, config.index, how) ?? endedError(this.#file, config.index));
      exited.resolve();
    });
    this.#exited.push(exited.promise);
    // The failure reaches whoever waits; that nobody waits yet must not end the process.
    for (const { promise } of [fetched, left]) promise.catch(() => {});
    this.#fetched.push(fetched.promise);
    this.#left.push(left.promise);
  }

  #lateError(): UblkError {
    return this.#file !== null && this.#opening.size > 0 ? silentError('open', this.#file) : lateError();
  }

  /** The error of a thread that has ended in its half of the `open` of a file; null: not in that. */
  #endError(worker: Worker, index: number, how: string): UblkError | null {
    if (this.#file === null || !this.#opening.has(worker)) return null;
    return new UblkError(`\`open\` of target ${this.#file} ended its thread (${index}): ${how}`, {
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
