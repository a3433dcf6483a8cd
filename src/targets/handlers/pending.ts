/**
 * The requests of one thread that wait: for their promises, or for their turn where the target takes only so many at
 * once. Those that wait for too long are reported.
 *
 * Where the target has a timeout, a request whose promise does not settle in time fails. The promise can settle late, and
 * then belongs to no request any more; until then its handler still has its place among those that run at once. A request
 * that waits for its turn fails after the same time if all places are those of late handlers.
 */
import type { ThreadEvents } from '../target.ts';
import { BlockError } from './errors.ts';
import { serverLog } from '../log.ts';
import { UnexpectedResult } from './outcome.ts';
import { describeOp, lengthOf, offsetOf } from './request.ts';

/** A request is reported when it has waited for so long. */
const STUCK_MS = 30_000;
/** How often the waiting requests are looked at, at most and at least. */
const LOOK_MS = 5_000;
const LOOK_OFTEN_MS = 50;
/**
 * The `then` of V8, which `await` uses too: it calls back once, and never at once. A target can put a `then` of its own on a promise,
 * which may call back twice, and the request would be answered twice.
 */
// oxlint-disable-next-line typescript/unbound-method -- it is called with the promise
const PROMISE_THEN = Promise.prototype.then;

export interface Pending {
  readonly slot: number;
}

/** Why a request has failed. */
export interface Failure {
  readonly reason: unknown;
}

export interface PendingOptions {
  /** The target's file, for the log. */
  readonly file: string;
  readonly slots: number;
  readonly events: ThreadEvents;
  /** Seconds. */
  readonly timeout: number | undefined;
  /** A request's promise has settled, or its time is over. `failure` is undefined when it was fulfilled. */
  readonly settled: (request: Pending, failure: Failure | undefined) => void;
  /** A request that waits for its turn will not have it in time. */
  readonly gaveUp: (request: Pending, failure: Failure) => void;
  /** A late handler has ended: there is room for another request. */
  readonly next: () => void;
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
  readonly fulfilled: (value: unknown) => void;
  readonly rejected: (reason: unknown) => void;

  constructor(slot: number, settled: (waiter: Waiter, failure: Failure | undefined) => void) {
    this.slot = slot;
    this.fulfilled = (value) =>
      settled(
        this,
        value === undefined ? undefined : { reason: new UnexpectedResult('its promise was fulfilled with', value) },
      );
    this.rejected = (reason) => settled(this, { reason });
  }

  get hasBegun(): boolean {
    return this.begun !== 0;
  }

  reset(): void {
    this.since = 0;
    this.begun = 0;
    this.isReported = false;
  }
}

export class PendingRequests {
  /** How many handlers have promises that have not settled, late ones among them. */
  inHandlers = 0;
  /** How many of them belong to requests that have timed out. */
  private late = 0;
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
    this.inHandlers++;
    this.timer ??= setTimeout(this.look, this.lookMs);
    void PROMISE_THEN.call(promise, waiter.fulfilled, waiter.rejected);
  }

  /** The request of `slot` waits for its turn, behind others that wait for their promises. */
  queue(slot: number): void {
    const waiter = (this.waiters[slot] ??= new Waiter(slot, this.settled));
    waiter.since = performance.now();
    this.timer ??= setTimeout(this.look, this.lookMs);
  }

  /** The request of `slot` has had its turn. If it waits for no promise, it is done. */
  hadItsTurn(slot: number): void {
    const waiter = this.waiters[slot];
    if (waiter !== undefined && !waiter.hasBegun) waiter.since = 0;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  /** How many requests wait for their promises. */
  get inTime(): number {
    return this.inHandlers - this.late;
  }

  private readonly settled = (waiter: Waiter, failure: Failure | undefined): void => {
    this.inHandlers--;
    if (waiter.late === undefined) {
      this.end(waiter, failure);
      return;
    }
    this.late--;
    waiter.late();
    this.options.next();
  };

  private end(waiter: Waiter, failure: Failure | undefined): void {
    // The slot can have its next request before `settled` returns.
    waiter.reset();
    this.options.settled(waiter, failure);
    if (this.isStuckReported && this.inTime === 0) this.report();
  }

  private readonly look = (): void => {
    const now = performance.now();
    const timeoutMs = (this.options.timeout ?? Number.POSITIVE_INFINITY) * 1000;
    for (const waiter of this.waiting()) {
      // The end of one can be the beginning and the end of another.
      if (waiter.since === 0) continue;
      const age = now - waiter.since;
      if (waiter.hasBegun && now - waiter.begun >= timeoutMs) this.timeOut(waiter);
      else if (!waiter.hasBegun && age >= timeoutMs && this.inTime === 0) this.giveUp(waiter);
      else if (age >= STUCK_MS && !waiter.isReported) this.log(waiter, age);
    }
    this.report();
    this.timer = this.waiting().length === 0 ? undefined : setTimeout(this.look, this.lookMs);
  };

  private timeOut(waiter: Waiter): void {
    waiter.late = this.options.events.request(waiter.slot).abandonView();
    this.late++;
    this.waiters[waiter.slot] = undefined;
    this.end(waiter, this.timedOut('no answer'));
  }

  private giveUp(waiter: Waiter): void {
    waiter.reset();
    this.options.gaveUp(waiter, this.timedOut('late handlers in front of it, and no answer'));
  }

  private timedOut(what: string): Failure {
    return { reason: new BlockError('ETIMEDOUT', `${what} within ${this.options.timeout} s`) };
  }

  private log(waiter: Waiter, age: number): void {
    waiter.isReported = true;
    const io = this.options.events.request(waiter.slot);
    const what = `${describeOp(io.op)} of ${lengthOf(io)} bytes at ${offsetOf(io)}`;
    const waits = waiter.hasBegun ? 'has not settled' : 'has waited for its turn';
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
