/**
 * A shared thread, as the main thread handles it: it gives out the thread's slots, descriptors and places in the tables of
 * its ring, and hears what becomes of lanes.
 */
import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { UblkError } from '../../errors.ts';
import { eventfd, signalEventfd } from '../../native/libc/calls.ts';
import { hollow, type MappedMemory, mapAnonymous, mapFile, PAGE_SIZE, roundUp } from '../../native/memory.ts';
import { closeRemains, type RingRemains } from '../../native/ring/remains.ts';
import { shortageOf } from '../../native/shortage.ts';
import { THREAD_LIMITS } from '../../native/thread-limits.ts';
import { UBLKSRV_CMD_BUF_OFFSET } from '../../native/uapi/ublk-addresses.ts';
import { UBLK_MAX_QUEUE_DEPTH } from '../../native/uapi/ublk-device.ts';
import { packagePath } from '../../package-root.ts';
import { decodeError } from '../../protocol/error-wire.ts';
import type { LaneConfig, SharedMessage, SharedOrder, SharedThreadConfig } from '../../queue/shared/lane-config.ts';
import { SLOT_BITS } from '../../queue/user-data.ts';
import { log } from '../log.ts';
import { openFilesLimit } from '../descriptor-budget.ts';
import { Ranges } from './ranges.ts';

const SLOTS = 1 << SLOT_BITS;
const LANES = 1 << 13;
/** IORING_MAX_REG_BUFFERS of io_uring/rsrc.c, Linux 7.3. */
const BUFFERS = 1 << 14;
/** The kernel allows as many registered files as a process may have open. */
const FILES = 1 << 14;
const DESCRIPTOR_PAGES = 1 << 13;

/** One queue of a device that is to be served. */
export interface LaneRequest
  extends Pick<LaneConfig, 'deviceId' | 'spec' | 'queue' | 'buffers' | 'targetState' | 'stats'> {
  readonly charFd: number;
  readonly targetFiles: readonly number[];
  /** Whether the data path registers the pages of requests. */
  readonly registers: boolean;
}

/** A lane that has its places and is not served yet. */
export interface ReservedLane {
  serve(): Lane;
  giveBack(): void;
}

export interface Lane {
  /** Resolves when every tag has been fetched. */
  readonly fetched: Promise<void>;
  /** Resolves when the driver has taken back every tag; rejects when the thread fails. */
  readonly left: Promise<void>;
  /** Gives the memory of its I/O buffers back to the system, if no request is in hand. */
  rest(): void;
}

interface Served {
  readonly config: LaneConfig;
  readonly pages: number;
  readonly firstPage: number;
  readonly fetched: PromiseWithResolvers<void>;
  readonly left: PromiseWithResolvers<void>;
}

export class SharedThread {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #descriptors: MappedMemory;
  readonly #slots = new Ranges(SLOTS);
  readonly #lanes = new Ranges(LANES);
  readonly #files: Ranges;
  readonly #buffers = new Ranges(BUFFERS);
  readonly #pages = new Ranges(DESCRIPTOR_PAGES);
  readonly #served = new Map<number, Served>();
  readonly #exited = Promise.withResolvers<void>();
  #failure: Error | undefined;
  /** The ring that the thread has not closed. */
  #ring: RingRemains | undefined;

  constructor(index: number, cpus: readonly number[]) {
    const files = Math.min(FILES, openFilesLimit());
    this.#files = new Ranges(files);
    this.#descriptors = mapAnonymous(DESCRIPTOR_PAGES * PAGE_SIZE, 'of the descriptors of a shared thread');
    try {
      this.#wakeFd = eventfd();
    } catch (error) {
      this.#descriptors.unmap();
      throw error;
    }
    const config: SharedThreadConfig = {
      index,
      cpus,
      slots: SLOTS,
      lanes: LANES,
      files,
      buffers: BUFFERS,
      descriptors: this.#descriptors.address,
      descriptorBytes: this.#descriptors.length,
      wakeFd: this.#wakeFd,
    };
    try {
      this.#worker = new Worker(packagePath('dist/queue/shared/main.cjs'), {
        workerData: config,
        resourceLimits: THREAD_LIMITS,
      });
    } catch (error) {
      this.#giveBack();
      throw error;
    }
    this.#worker.on('message', (message: SharedMessage) => this.#hear(message));
    this.#worker.on('error', (error) => this.#fail(shortageOf(error) ?? error));
    this.#worker.on('exit', () => this.#gone());
  }

  /** Whether it can be given lanes. */
  get works(): boolean {
    return this.#failure === undefined;
  }

  /** How many slots it serves. */
  get load(): number {
    return SLOTS - this.#slots.left;
  }

  /** Gives a lane its places; null: the thread has no room for it. */
  reserve(request: LaneRequest): ReservedLane | null {
    const served = this.#make(request);
    if (served === null) return null;
    this.#served.set(served.config.lane, served);
    return { serve: () => this.#serve(served), giveBack: () => this.#free(served.config.lane) };
  }

  #serve(served: Served): Lane {
    // Whoever waits hears of a failure; that nobody waits yet must not end the process.
    for (const { promise } of [served.fetched, served.left]) promise.catch(() => {});
    this.#order({ kind: 'serve', lane: served.config });
    const rest = (): void => {
      const { lane } = served.config;
      if (this.#served.get(lane) === served) this.#order({ kind: 'rest', idle: lane });
    };
    return { fetched: served.fetched.promise, left: served.left.promise, rest };
  }

  /** Resolves when the thread has ended. It must have no lanes. */
  async end(): Promise<void> {
    this.#order({ kind: 'end' });
    await this.#exited.promise;
  }

  #make(request: LaneRequest): Served | null {
    const { spec, charFd, targetFiles, registers, ...same } = request;
    const { depth } = spec;
    const files = [charFd, ...targetFiles];
    const pages = roundUp(depth * spec.ioDescSize, PAGE_SIZE) / PAGE_SIZE;
    const needs: readonly (readonly [ranges: Ranges, count: number])[] = [
      [this.#lanes, 1],
      [this.#slots, depth],
      [this.#files, files.length],
      [this.#pages, pages],
      [this.#buffers, registers ? depth : 0],
    ];
    const firsts = takeAll(needs);
    if (firsts === null) return null;
    const [lane = 0, firstSlot = 0, firstFile = 0, firstPage = 0, firstBuffer = 0] = firsts;
    const descriptorsAt = firstPage * PAGE_SIZE;
    const config: LaneConfig = {
      ...same,
      spec,
      lane,
      firstSlot,
      firstFile,
      files,
      descriptorsAt,
      firstBuffer: registers ? firstBuffer : -1,
    };
    const stride = roundUp(UBLK_MAX_QUEUE_DEPTH * spec.ioDescSize, PAGE_SIZE);
    const offset = BigInt(UBLKSRV_CMD_BUF_OFFSET + request.queue * stride);
    try {
      const address = this.#descriptors.address + BigInt(descriptorsAt);
      const options = { readOnly: true, populate: true, offset, at: address } as const;
      mapFile(charFd, pages * PAGE_SIZE, `of the descriptors of queue ${request.queue}`, options);
    } catch (error) {
      giveAll(needs, firsts);
      throw error;
    }
    return {
      config,
      pages,
      firstPage,
      fetched: Promise.withResolvers<void>(),
      left: Promise.withResolvers<void>(),
    };
  }

  #hear(message: SharedMessage): void {
    switch (message.kind) {
      case 'ring':
        this.#ring = message.ring ?? undefined;
        return;
      case 'ready':
        for (const note of message.notes) log(note);
        return;
      case 'fetched':
        this.#served.get(message.lane)?.fetched.resolve();
        return;
      case 'refused':
        this.#served.get(message.lane)?.fetched.reject(decodeError(message.error));
        return;
      case 'left':
        this.#free(message.lane);
        return;
      case 'failed':
        this.#fail(decodeError(message.error));
        return;
      default:
    }
  }

  #free(lane: number): void {
    const served = this.#served.get(lane);
    if (served === undefined) return;
    const { config, pages, firstPage } = served;
    this.#served.delete(lane);
    const address = this.#descriptors.address + BigInt(firstPage * PAGE_SIZE);
    hollow({ address, length: pages * PAGE_SIZE }, 'in place of descriptors');
    this.#lanes.give(lane, 1);
    this.#slots.give(config.firstSlot, config.spec.depth);
    this.#files.give(config.firstFile, config.files.length);
    this.#pages.give(firstPage, pages);
    if (config.firstBuffer >= 0) this.#buffers.give(config.firstBuffer, config.spec.depth);
    served.left.resolve();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    void this.#worker.terminate();
  }

  /** The thread has ended: because it was told to, when it has no lanes, or because it has failed. */
  #gone(): void {
    this.#failure ??= new Error('it has ended');
    // Its registered files and the mapped descriptors keep the devices with this process.
    if (this.#ring !== undefined) closeRemains(this.#ring);
    this.#giveBack();
    for (const { config, fetched, left } of this.#served.values()) {
      const error = failedError(config.deviceId, this.#failure);
      fetched.reject(error);
      left.reject(error);
    }
    this.#served.clear();
    this.#exited.resolve();
  }

  #giveBack(): void {
    this.#descriptors.unmap();
    closeSync(this.#wakeFd);
  }

  #order(order: SharedOrder): void {
    this.#worker.postMessage(order);
    signalEventfd(this.#wakeFd);
  }
}

function failedError(device: number, cause: Error): UblkError {
  const { code, kind, hint } =
    cause instanceof UblkError ? cause : { code: 'INTERNAL', kind: undefined, hint: undefined };
  return new UblkError(`the thread that served device ${device} and others has failed: ${cause.message}`, {
    code,
    ...(kind === undefined ? {} : { kind }),
    ...(hint === undefined ? {} : { hint }),
    device,
    cause,
  });
}

/** All of the ranges, or none. */
function takeAll(needs: readonly (readonly [Ranges, number])[]): number[] | null {
  const firsts: number[] = [];
  for (const [ranges, count] of needs) {
    const first = count === 0 ? 0 : ranges.take(count);
    if (first === null) {
      giveAll(needs.slice(0, firsts.length), firsts);
      return null;
    }
    firsts.push(first);
  }
  return firsts;
}

function giveAll(needs: readonly (readonly [Ranges, number])[], firsts: readonly number[]): void {
  needs.forEach(([ranges, count], at) => {
    if (count > 0) ranges.give(firsts[at] ?? 0, count);
  });
}
