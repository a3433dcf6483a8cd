/**
 * The sleep of a queue thread whose target answers from promises: in Node's event loop, which wakes for the ring too.
 *
 * The ring signals an eventfd for what comes while the thread is not inside `enter`, and the loop watches that
 * (native/loop-watch.ts). After each wait of the loop, whatever has ended it, the thread serves what is in the ring.
 * Nothing polls: while all promises wait, the thread sleeps.
 */
import { closeDescriptor, eventfd } from '../native/libc/calls.ts';
import { LoopWatch } from '../native/loop-watch.ts';
import type { Ring } from '../native/ring/ring.ts';
import type { IoRequest, StuckRequests, ThreadEvents } from '../targets/target.ts';
import type { StatsWriter } from '../stats/writer.ts';
import { statOpOf } from './request.ts';

/** The thread that sleeps: a QueueThread. */
export interface Sleeper {
  /** There is nothing left to serve. */
  readonly ended: boolean;
  /** Serves what is in the ring, without waiting. Returns whether there may be more at once. */
  turn(): boolean;
  /** Makes the thread return from its ring. */
  leaveRing(): void;
  request(slot: number): IoRequest;
}

export class LoopSleep implements ThreadEvents {
  private readonly ring: Ring;
  private readonly wakeFd: number;
  private readonly stats: StatsWriter | undefined;
  private thread: Sleeper | undefined;
  private watch: LoopWatch | undefined;
  /** The eventfd that the ring signals, once there is one: a ring takes only one. */
  private signal: number | undefined;
  /** The thread sleeps in the event loop from its next sleep on. */
  isWanted = false;
  /** A request may be completed by a handler that the thread has just called: it submits by itself. */
  private isTurning = false;

  /** `wakeFd`: the eventfd with which the main thread wakes this one. `stats`: where stuck requests are published. */
  constructor(ring: Ring, wakeFd: number, stats: StatsWriter | undefined) {
    this.ring = ring;
    this.wakeFd = wakeFd;
    this.stats = stats;
  }

  /** Resolves when there is nothing left to serve, or after `sleepInRing`. `thread` has returned from `run`. */
  async serve(thread: Sleeper): Promise<void> {
    const signal = this.signalled();
    const ended = Promise.withResolvers<void>();
    this.thread = thread;
    // The ring's own read of the wake-up eventfd is signalled late where the eventfd is written from inside the kernel.
    this.watch = await LoopWatch.start([signal, this.wakeFd], () => {
      this.turn();
      if (thread.ended || !this.isWanted) ended.resolve();
    });
    this.watch.soon();
    await ended.promise;
    this.watch.close();
    this.watch = undefined;
    this.ring.signals(false);
  }

  close(): void {
    if (this.signal !== undefined) closeDescriptor(this.signal);
  }

  /** The thread that these events are of: known before it first calls its target. */
  attach(thread: Sleeper): void {
    this.thread = thread;
  }

  sleepInLoop(): void {
    this.isWanted = true;
    this.thread?.leaveRing();
  }

  sleepInRing(): void {
    this.isWanted = false;
    this.watch?.soon();
  }

  request(slot: number): IoRequest {
    if (this.thread === undefined) throw new TypeError('the thread does not serve yet');
    return this.thread.request(slot);
  }

  submit(now: boolean): void {
    if (this.isTurning) return;
    if (now && this.watch !== undefined) this.turn();
    else this.watch?.soon();
  }

  reportStuck(stuck: StuckRequests | null): void {
    if (stuck === null) this.stats?.stuck(0, 0, 0, 0);
    else this.stats?.stuck(stuck.requests, statOpOf(stuck.op), stuck.offset, stuck.sinceMs);
  }

  private signalled(): number {
    if (this.signal === undefined) {
      this.signal = eventfd();
      this.ring.signalOn(this.signal);
    }
    return this.signal;
  }

  private turn(): void {
    this.isTurning = true;
    try {
      const more = this.thread?.turn() === true;
      // The next turn finds that there is nothing left to serve.
      if (more || this.thread?.ended === true) this.watch?.soon();
    } finally {
      this.isTurning = false;
    }
  }
}
