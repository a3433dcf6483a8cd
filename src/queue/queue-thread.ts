/**
 * One queue thread: its ring and its loop. This is the hot path. What it calls for each request is in request.ts,
 * delivery/, data-path/ and the target.
 *
 * Contract
 * - A thread has one ring and one of every object here, so call sites stay monomorphic. It shares only memory that has
 *   a single writer.
 * - In the loop nothing allocates, awaits or logs. The only system call is io_uring_enter, once per batch.
 * - A request is the server's from its delivery until its commit is submitted. Its descriptor does not change
 *   meanwhile.
 * - The loop ends when the device has left this server (it was stopped or quiesced) and no request is in hand, or when
 *   the main thread says so before the device has started.
 */
import type { Ring } from '../native/ring/ring.ts';
import { ERRNO } from '../native/uapi/errno.ts';
import { IORING_CQE_F_SOCK_NONEMPTY } from '../native/uapi/io-uring-cqe-flags.ts';
import { CQE_WORD_FLAGS, CQE_WORD_RES, CQE_WORD_USER_DATA_LO } from '../native/uapi/io-uring-words.ts';
import type { TargetQueue } from '../targets/target.ts';
import type { DataPath } from './data-path/data-path.ts';
import type { ShmemOverlay } from './data-path/shmem.ts';
import type { Arrivals, Delivery } from './delivery/delivery.ts';
import type { LatencySampler } from './latency.ts';
import type { Request } from './request.ts';
import type { Slots } from './slots.ts';
import type { ThreadStats } from './thread-stats.ts';
import {
  KIND_BATCH_COMMAND,
  KIND_BATCH_FETCH,
  KIND_COMMAND,
  KIND_DATA,
  KIND_DEADLINE,
  KIND_TARGET,
  KIND_TARGET_OWN,
  KIND_WAKE,
  kindOf,
  slotOf,
  tokenOf,
} from './user-data.ts';
import { DRAIN, LEAVE, type WakeUp } from './wake-up.ts';

const { EIO } = ERRNO;
/** After so many looks at the ring, a thread that sleeps in the event loop lets the loop do something else. */
const MOST_ROUNDS = 16;

export interface QueueThreadParts {
  readonly ring: Ring;
  readonly slots: Slots;
  readonly request: Request;
  readonly path: DataPath;
  readonly delivery: Delivery;
  readonly overlay: ShmemOverlay;
  readonly target: TargetQueue;
  readonly stats: ThreadStats;
  readonly latency: LatencySampler;
  readonly wakeUp: WakeUp;
  /** Is called when the main thread has woken this one, for what a thread of this kind has to look at. */
  readonly woken?: () => void;
}

export class QueueThread implements Arrivals {
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly io: Request;
  private readonly path: DataPath;
  private readonly delivery: Delivery;
  private readonly overlay: ShmemOverlay;
  private readonly target: TargetQueue;
  private readonly stats: ThreadStats;
  private readonly latency: LatencySampler;
  private readonly wakeUp: WakeUp;
  private readonly wokenToo: (() => void) | undefined;
  /** The main thread has said that this thread must leave. */
  private leaving = false;
  /** The thread is to return from `run`: it leaves, or it will sleep in the event loop. */
  private out = false;

  constructor(parts: QueueThreadParts) {
    this.ring = parts.ring;
    this.slots = parts.slots;
    this.io = parts.request;
    this.path = parts.path;
    this.delivery = parts.delivery;
    this.overlay = parts.overlay;
    this.target = parts.target;
    this.stats = parts.stats;
    this.latency = parts.latency;
    this.wakeUp = parts.wakeUp;
    this.wokenToo = parts.woken;
  }

  /** Issues the first commands. 0, or the -errno with which one was refused. */
  start(): number {
    this.wakeUp.arm();
    this.delivery.start();
    do this.ring.enter(0);
    while (this.walk() < 0);
    return this.delivery.problem;
  }

  /** Whether there is nothing left to serve. */
  get ended(): boolean {
    return this.leaving || this.delivery.ended;
  }

  /** Makes the thread leave its loop, even if requests are in hand. */
  leave(): void {
    this.leaving = true;
    this.out = true;
  }

  /** Makes `run` return, so that the thread can sleep in the event loop: see `turn`. */
  leaveRing(): void {
    this.out = true;
  }

  /** The request of `slot`, outside of the walk of the completions. */
  request(slot: number): Request {
    this.latency.expire();
    this.io.load(slot);
    return this.io;
  }

  /** Serves until there is nothing left to serve, or until `leaveRing`. */
  run(): void {
    const { ring, delivery } = this;
    this.out = this.leaving;
    // The JIT treats what a closure captures as constants, and also their fields (docs/decisions/0011).
    const step = (prompt: number): number => {
      ring.enter(1 + prompt);
      const next = this.walk();
      return delivery.ended || this.out ? -1 : next;
    };
    do {
      for (let prompt = 0; prompt >= 0; ) prompt = step(prompt);
    } while (!this.settled());
  }

  /**
   * Submits the last commits, and goes on without waiting while the delivery wants that. Only inside an enter does anything
   * arrive: when nothing did in this one, nothing can before the thread has exited, and then the driver keeps what it could not
   * deliver for the next server.
   */
  private settled(): boolean {
    let next = 0;
    do {
      this.ring.enter(0);
      next = this.walk();
    } while (next < 0 || (this.delivery.ended && this.ring.sq.pending > 0));
    return this.out || this.delivery.ended;
  }

  /**
   * Submits what was completed and serves what is in the ring, without waiting: for a thread that sleeps in the event
   * loop. What comes after the last look is signalled. Returns whether there may be more at once.
   */
  turn(): boolean {
    const { ring, delivery } = this;
    ring.signals(false);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      delivery.flush();
      ring.enter(0);
      if (ring.cq.ready() !== ring.cq.head) this.walk();
      else if (round > 0 && ring.sq.pending === 0) return false;
      ring.signals(true);
    }
    return true;
  }

  /** A request has been delivered (Arrivals). */
  arrive(slot: number): void {
    this.stats.of(slot).arrived();
    this.slots.result[slot] = 0;
    this.receive(slot);
  }

  /** Handles one batch of completions. Returns how many of the next are no reason to return, see Delivery.flush. */
  private walk(): number {
    const { cq } = this.ring;
    const words = cq.words;
    const tail = cq.ready();
    let head = cq.head;
    this.latency.expire();
    this.stats.batchBegin();
    while (head !== tail) {
      const at = cq.at(head);
      this.completed(words[at + CQE_WORD_USER_DATA_LO]!, words[at + CQE_WORD_RES]!, at);
      head = (head + 1) | 0;
    }
    cq.seen(head);
    const own = this.target.batchEnd?.() ?? 0;
    const prompt = this.delivery.flush();
    this.stats.batchEnd();
    return prompt + own;
  }

  /** `at`: word index of the completion. Its flags are read for the few that have some. */
  private completed(user: number, result: number, at: number): void {
    const kind = kindOf(user);
    if (kind === KIND_COMMAND) this.delivery.completed(user, result, 0, this);
    else if (kind === KIND_TARGET) this.operationDone(user, result);
    else this.completedOther(kind, user, result, this.ring.cq.words[at + CQE_WORD_FLAGS]!);
  }

  private completedOther(kind: number, user: number, result: number, flags: number): void {
    switch (kind) {
      case KIND_BATCH_FETCH:
      case KIND_BATCH_COMMAND:
        this.delivery.completed(user, result, flags, this);
        return;
      case KIND_DATA:
        this.io.load(slotOf(user));
        if (this.path.operationDone(this.io, tokenOf(user), result)) this.dispatch(slotOf(user));
        return;
      case KIND_TARGET_OWN:
        this.target.ringDone?.(tokenOf(user), result, (flags & IORING_CQE_F_SOCK_NONEMPTY) !== 0);
        return;
      case KIND_WAKE:
        this.woken();
        return;
      case KIND_DEADLINE:
        this.deadline();
        return;
      default:
    }
  }

  private receive(slot: number): void {
    const io = this.io;
    io.load(slot);
    if (io.matched && !this.overlay.arrive(io, this.stats.of(slot))) return;
    if (io.usesPath && !this.path.arrive(io)) return;
    this.dispatch(slot);
  }

  /** Gives the target a request whose data is where the target can use it. */
  private dispatch(slot: number): void {
    const io = this.io;
    io.open = true;
    this.target.queueIo(io);
    if (io.open) this.latency.started(slot);
  }

  private operationDone(user: number, result: number): void {
    const slot = slotOf(user);
    const io = this.io;
    this.slots.pending[slot]!--;
    io.load(slot);
    this.target.operationDone(io, tokenOf(user), result);
  }

  private woken(): void {
    const { order } = this.wakeUp;
    if (order === LEAVE) {
      this.leave();
      return;
    }
    if (order === DRAIN) this.delivery.drain();
    this.wakeUp.arm();
    this.wokenToo?.();
    for (const slot of this.overlay.takeKnown()) this.receive(slot);
  }

  /** Fails the requests whose index was never published. That must not happen, but no client may hang if it does. */
  private deadline(): void {
    for (const slot of this.overlay.takeOverdue()) {
      this.io.load(slot);
      this.io.complete(-EIO);
    }
  }
}
