/**
 * One queue thread: its ring and its loop. This is the hot path; everything it calls per request is in request.ts,
 * delivery/, data-path/ and the target.
 *
 * Contract
 * - One thread, one ring, one of every object here: call sites stay monomorphic, and nothing is shared but memory that
 *   has a single writer.
 * - In the loop nothing allocates, awaits or logs. The only system call is io_uring_enter, once a batch.
 * - A request is the server's from its completion until its commit is submitted; its descriptor holds still meanwhile.
 * - The loop ends when the kernel has taken back every command (the device stops) or when the main thread says so before
 *   the device started.
 */
import type { Ring } from '../native/ring/ring.ts';
import { CQE_WORD_FLAGS, CQE_WORD_RES, CQE_WORD_USER_DATA_LO } from '../native/uapi/io-uring-words.ts';
import type { StatsWriter } from '../stats/writer.ts';
import type { TargetQueue } from '../targets/target.ts';
import type { DataPath } from './data-path/data-path.ts';
import type { ShmemOverlay } from './data-path/shmem.ts';
import type { Arrivals, Delivery } from './delivery/delivery.ts';
import type { LatencySampler } from './latency.ts';
import type { Request } from './request.ts';
import type { Slots } from './slots.ts';
import {
  KIND_BATCH_COMMAND,
  KIND_BATCH_FETCH,
  KIND_COMMAND,
  KIND_DATA,
  KIND_DEADLINE,
  KIND_TARGET,
  KIND_WAKE,
  kindOf,
  slotOf,
  tokenOf,
} from './user-data.ts';
import type { WakeUp } from './wake-up.ts';

const EIO = 5;

export interface QueueThreadParts {
  readonly ring: Ring;
  readonly slots: Slots;
  readonly request: Request;
  readonly overlay: ShmemOverlay;
  readonly target: TargetQueue;
  /** By queue id. */
  readonly stats: readonly (StatsWriter | undefined)[];
  readonly latency: LatencySampler;
  readonly wakeUp: WakeUp;
}

export class QueueThread implements Arrivals {
  readonly #ring: Ring;
  readonly #slots: Slots;
  readonly #io: Request;
  #path!: DataPath;
  #delivery!: Delivery;
  readonly #overlay: ShmemOverlay;
  readonly #target: TargetQueue;
  readonly #stats: readonly (StatsWriter | undefined)[];
  readonly #mine: readonly StatsWriter[];
  readonly #latency: LatencySampler;
  readonly #wakeUp: WakeUp;
  #leaving = false;

  constructor(parts: QueueThreadParts) {
    this.#ring = parts.ring;
    this.#slots = parts.slots;
    this.#io = parts.request;
    this.#overlay = parts.overlay;
    this.#target = parts.target;
    this.#stats = parts.stats;
    this.#mine = parts.stats.filter((writer) => writer !== undefined);
    this.#latency = parts.latency;
    this.#wakeUp = parts.wakeUp;
  }

  /** Once, before `start`: delivery and data path call back into the thread. */
  connect(path: DataPath, delivery: Delivery): void {
    this.#path = path;
    this.#delivery = delivery;
    this.#io.connect(path, delivery);
  }

  /** Issues the first commands. 0, or the -errno with which one was refused. */
  start(): number {
    this.#wakeUp.arm();
    this.#delivery.start();
    this.#ring.enter(0);
    this.#walk();
    return this.#delivery.problem;
  }

  /** Serves until there is nothing left to serve. */
  run(): void {
    const ring = this.#ring;
    const delivery = this.#delivery;
    let prompt = 0;
    while (!delivery.ended && !this.#leaving) {
      ring.enter(1 + prompt);
      prompt = this.#walk();
    }
  }

  /** A request has been delivered (Arrivals). */
  arrive(slot: number): void {
    this.#stats[this.#slots.queue[slot]!]!.arrived();
    this.#slots.result[slot] = 0;
    this.#receive(slot);
  }

  /** One batch of completions. Returns how many of the next are no reason to come back, see Delivery.flush. */
  #walk(): number {
    const { cq } = this.#ring;
    const words = cq.words;
    const tail = cq.ready();
    let head = cq.head;
    this.#latency.expire();
    for (let i = 0; i < this.#mine.length; i++) this.#mine[i]!.batchBegin();
    while (head !== tail) {
      const at = cq.at(head);
      this.#completed(words[at + CQE_WORD_USER_DATA_LO]!, words[at + CQE_WORD_RES]!, words[at + CQE_WORD_FLAGS]!);
      head = (head + 1) | 0;
    }
    cq.seen(head);
    const prompt = this.#delivery.flush();
    for (let i = 0; i < this.#mine.length; i++) this.#mine[i]!.batchEnd();
    return prompt;
  }

  #completed(user: number, result: number, flags: number): void {
    const kind = kindOf(user);
    if (kind === KIND_COMMAND) this.#delivery.completed(user, result, flags);
    else if (kind === KIND_TARGET) this.#operationDone(user, result);
    else this.#completedOther(kind, user, result, flags);
  }

  #completedOther(kind: number, user: number, result: number, flags: number): void {
    switch (kind) {
      case KIND_BATCH_FETCH:
      case KIND_BATCH_COMMAND:
        this.#delivery.completed(user, result, flags);
        return;
      case KIND_DATA:
        this.#io.load(slotOf(user));
        this.#path.operationDone(this.#io, tokenOf(user), result);
        return;
      case KIND_WAKE:
        this.#woken();
        return;
      case KIND_DEADLINE:
        this.#deadline();
        return;
      default:
    }
  }

  #receive(slot: number): void {
    const io = this.#io;
    io.load(slot);
    if (io.matched) {
      const stats = this.#stats[this.#slots.queue[slot]!]!;
      if (!this.#overlay.arrive(io, stats)) return;
    } else if (!this.#path.arrive(io)) return;
    this.dispatch(slot);
  }

  /** Its data is where the target can use it. */
  dispatch(slot: number): void {
    const io = this.#io;
    io.open = true;
    this.#target.queueIo(io);
    if (io.open) this.#latency.started(slot);
  }

  #operationDone(user: number, result: number): void {
    const slot = slotOf(user);
    const io = this.#io;
    this.#slots.pending[slot]!--;
    io.load(slot);
    if (io.matched) this.#overlay.locate(io);
    else this.#path.locate(io);
    this.#target.operationDone(io, tokenOf(user), result);
  }

  #woken(): void {
    if (this.#wakeUp.leave) {
      this.#leaving = true;
      return;
    }
    this.#wakeUp.arm();
    for (const slot of this.#overlay.takeHeld()) this.#receive(slot);
  }

  /** A request was held for an index that never was published: that must not happen, and must not hang its client. */
  #deadline(): void {
    for (const slot of this.#overlay.takeHeld()) {
      this.#io.load(slot);
      this.#io.open = true;
      this.#io.complete(-EIO);
    }
  }
}
