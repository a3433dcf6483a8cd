/**
 * The requests of one thread that wait: for their promises, or for their turn where the target takes only so many at
 * once. Those that wait for too long are reported. Where the target has a timeout, one whose promise does not settle in
 * time fails: the promise can settle late, and then belongs to no request any more.
 */
import type { ThreadEvents } from '../target.ts';
import { BlockError } from './errors.ts';
import { serverLog } from './log.ts';
import { describeOp, lengthOf, offsetOf } from './request.ts';

/** A request is reported when it has waited for so long. */
const STUCK_MS = 30_000;
/** How often the waiting requests are looked at, at most and at least. */
const LOOK_MS = 5_000;
const LOOK_OFTEN_MS = 50;

export interface Pending {
  readonly slot: number;
}

export interface PendingOptions {
  /** The target's file, for the log. */
  readonly file: string;
  readonly slots: number;
  readonly events: ThreadEvents;
  /** Seconds. */
  readonly timeout: number | undefined;
  /** A request's promise has settled, or its time is over. `thrown` is undefined when it was fulfilled. */
  readonly settled: (request: Pending, thrown: { readonly reason: unknown } | undefined) => void;
}

/** One slot's waiting request, with the functions that its promise calls. They are made once and used again. */
class Waiter implements Pending {
  readonly slot: number;
  /** When the request came, in milliseconds of performance.now(); 0 when none waits. */
  since = 0;
  /** When its handler was called; 0 before that. */
  begun = 0;
  isReported = false;
  /** Called instead of `settled` once the request has timed out. */
  late: (() => void) | undefined;
  readonly fulfilled: () => void;
  readonly rejected: (reason: unknown) => void;

  constructor(slot: number, settled: (waiter: Waiter, thrown: { readonly reason: unknown } | undefined) => void) {
    this.slot = slot;
    this.fulfilled = () => settled(this, undefined);
    this.rejected = (reason) => settled(this, { reason });
  }
}

export class PendingRequests {
  /** How many requests wait for their promises. */
  count = 0;
  private readonly options: PendingOptions;
  private readonly waiters: (Waiter | undefined)[];
  private readonly lookMs: number;
  private timer: NodeJS.Timeout | undefined;
  private isStuckReported = false;

  constructor(options: PendingOptions) {
    this.options = options;
    this.waiters = Array.from({ length: options.slots });
    const timeoutMs = (options.timeout ?? Number.POSITIVE_INFINITY) * 1000;
    this.lookMs = Math.max(LOOK_OFTEN_MS, Math.min(LOOK_MS, timeoutMs / 8));
  }

  /** The request of `slot` waits for `promise`. */
  add(slot: number, promise: Promise<unknown>): void {
    const waiter = (this.waiters[slot] ??= new Waiter(slot, this.settled));
    waiter.begun = performance.now();
    if (waiter.since === 0) waiter.since = waiter.begun;
    this.count++;
    this.timer ??= setTimeout(this.look, this.lookMs);
    promise.then(waiter.fulfilled, waiter.rejected);
  }

  /** The request of `slot` waits for its turn, behind others that wait for their promises. */
  queue(slot: number): void {
    const waiter = (this.waiters[slot] ??= new Waiter(slot, this.settled));
    waiter.since = performance.now();
  }

  /** The request of `slot` has had its turn. If it waits for no promise, it is done. */
  hadItsTurn(slot: number): void {
    const waiter = this.waiters[slot];
    if (waiter !== undefined && waiter.begun === 0) waiter.since = 0;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private readonly settled = (waiter: Waiter, thrown: { readonly reason: unknown } | undefined): void => {
    if (waiter.late !== undefined) {
      waiter.late();
      return;
    }
    this.end(waiter, thrown);
  };

  private end(waiter: Waiter, thrown: { readonly reason: unknown } | undefined): void {
    waiter.since = 0;
    waiter.begun = 0;
    waiter.isReported = false;
    this.count--;
    this.options.settled(waiter, thrown);
    if (this.isStuckReported && this.count === 0) this.report();
  }

  private readonly look = (): void => {
    const now = performance.now();
    const timeoutMs = (this.options.timeout ?? Number.POSITIVE_INFINITY) * 1000;
    for (const waiter of this.waiting()) {
      const age = now - waiter.since;
      if (waiter.begun !== 0 && now - waiter.begun >= timeoutMs) this.timeOut(waiter);
      else if (age >= STUCK_MS && !waiter.isReported) this.log(waiter, age);
    }
    this.report();
    this.timer = this.count === 0 ? undefined : setTimeout(this.look, this.lookMs);
  };

  private timeOut(waiter: Waiter): void {
    const io = this.options.events.request(waiter.slot);
    waiter.late = io.abandonView();
    this.waiters[waiter.slot] = undefined;
    this.end(waiter, { reason: new BlockError('ETIMEDOUT', `no answer within ${this.options.timeout} s`) });
  }

  private log(waiter: Waiter, age: number): void {
    waiter.isReported = true;
    const io = this.options.events.request(waiter.slot);
    const what = `${describeOp(io.op)} of ${lengthOf(io)} bytes at ${offsetOf(io)}`;
    const waits = waiter.begun === 0 ? 'has waited for its turn' : 'has not settled';
    serverLog(`${this.options.file}: a ${what} ${waits} for ${Math.round(age / 1000)} s`);
  }

  /** Tells the other processes of the requests that are stuck, or that there are none any more. */
  private report(): void {
    const now = performance.now();
    const stuck = this.waiting().filter((waiter) => now - waiter.since >= STUCK_MS);
    const [oldest] = stuck.toSorted((a, b) => a.since - b.since);
    if (oldest === undefined && !this.isStuckReported) return;
    this.isStuckReported = oldest !== undefined;
    this.options.events.reportStuck(oldest === undefined ? null : this.describe(oldest, stuck.length, now));
  }

  private describe(waiter: Waiter, requests: number, now: number): Parameters<ThreadEvents['reportStuck']>[0] {
    const io = this.options.events.request(waiter.slot);
    return { requests, op: io.op, offset: offsetOf(io), sinceMs: Date.now() - (now - waiter.since) };
  }

  private waiting(): Waiter[] {
    return this.waiters.filter((waiter) => waiter !== undefined && waiter.since !== 0) as Waiter[];
  }
}
