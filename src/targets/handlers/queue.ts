/**
 * Serves requests with a target's byte handlers, on one thread.
 *
 * Contract
 * - A handler that returns nothing completes its request at once, and nothing is allocated for it.
 * - A handler that returns a promise completes its request when the promise settles. From its first one on, or from the
 *   first timer or other work for the event loop that a handler has begun, the thread sleeps in the event loop (ThreadEvents).
 * - A handler that fails answers its own request with an error, and nothing else. So does one that returns anything else,
 *   or whose promise is fulfilled with it: a number is likely that of bytes, and may be too small.
 */
import type { ParamsInit } from '../../control/commands.ts';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_F_NOUNMAP,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../native/uapi/ublk-io.ts';
import type { IoRequest, QueueContext, TargetQueue, ThreadEvents } from '../target.ts';
import type { Handlers, WriteOptions, WriteZeroesOptions } from './define.ts';
import { BlockError } from './errors.ts';
import { Failures } from './failures.ts';
import { whenLeft } from './left-behind.ts';
import { promiseOf } from './outcome.ts';
import { type Failure, type Pending, PendingRequests } from './pending.ts';
import { describeOp, lengthOf, offsetOf } from './request.ts';

const WRITE: WriteOptions = Object.freeze({ fua: false });
const WRITE_FUA: WriteOptions = Object.freeze({ fua: true });
/** By UBLK_IO_F_NOUNMAP and UBLK_IO_F_FUA. */
const ZEROES: readonly WriteZeroesOptions[] = [
  Object.freeze({ unmap: true, fua: false }),
  Object.freeze({ unmap: true, fua: true }),
  Object.freeze({ unmap: false, fua: false }),
  Object.freeze({ unmap: false, fua: true }),
];

export class HandlersQueue implements TargetQueue {
  readonly params: ParamsInit;
  private readonly handlers: Handlers;
  private readonly events: ThreadEvents;
  private readonly failures: Failures;
  private readonly pending: PendingRequests;
  private readonly concurrency: number;
  /** Slots whose requests wait until fewer are in the handlers, in the order in which they came. */
  private readonly waiting: number[] = [];
  /** Whether the thread learns of what a handler begins for the event loop. */
  private isWatched = false;

  constructor(handlers: Handlers, params: ParamsInit, { slots, events }: QueueContext, file: string) {
    this.params = params;
    this.handlers = handlers;
    this.events = events;
    this.failures = new Failures(file);
    this.concurrency = handlers.concurrency ?? Number.MAX_SAFE_INTEGER;
    this.pending = new PendingRequests({
      file,
      slots,
      events,
      timeout: handlers.timeout,
      settled: (request, failure) => this.settled(request, failure),
      gaveUp: (request, failure) => this.gaveUp(request, failure),
      next: () => this.beginWaiting(),
    });
  }

  queueIo(io: IoRequest): void {
    if (this.pending.inHandlers < this.concurrency) {
      this.begin(io);
      return;
    }
    this.waiting.push(io.slot);
    this.pending.queue(io.slot);
  }

  operationDone(): void {}

  async close(): Promise<void> {
    this.pending.close();
    await this.handlers.close?.();
  }

  private begin(io: IoRequest): void {
    let promise: Promise<unknown> | null;
    try {
      promise = promiseOf(this.call(io));
    } catch (error) {
      this.fail(io, error);
      return;
    }
    if (promise === null) succeed(io);
    else this.wait(io, promise);
  }

  private call(io: IoRequest): unknown {
    const { handlers } = this;
    // Not before the first request: the thread itself has promises while it starts.
    if (!this.isWatched) this.watch();
    switch (io.op) {
      case UBLK_IO_OP_READ:
        return handlers.read(io.view(), offsetOf(io));
      case UBLK_IO_OP_WRITE:
        if (handlers.write === undefined) break;
        return handlers.write(io.view(), offsetOf(io), (io.flags & UBLK_IO_F_FUA) === 0 ? WRITE : WRITE_FUA);
      case UBLK_IO_OP_FLUSH:
        return handlers.flush?.();
      case UBLK_IO_OP_DISCARD:
        if (handlers.discard === undefined) break;
        return handlers.discard(offsetOf(io), lengthOf(io));
      case UBLK_IO_OP_WRITE_ZEROES:
        if (handlers.writeZeroes === undefined) break;
        return handlers.writeZeroes(offsetOf(io), lengthOf(io), zeroesOptions(io.flags));
      default:
    }
    throw new BlockError('EOPNOTSUPP', 'the target has no handler for it');
  }

  private watch(): void {
    this.isWatched = true;
    whenLeft(() => this.events.sleepInLoop());
  }

  private wait(io: IoRequest, promise: Promise<unknown>): void {
    this.events.sleepInLoop();
    this.pending.add(io.slot, promise);
  }

  /** The promise of a request has settled, or its time is over. */
  private settled({ slot }: Pending, failure: Failure | undefined): void {
    const io = this.events.request(slot);
    if (failure === undefined) succeed(io);
    else this.fail(io, failure.reason);
    this.beginWaiting();
  }

  private gaveUp({ slot }: Pending, { reason }: Failure): void {
    this.waiting.splice(this.waiting.indexOf(slot), 1);
    this.fail(this.events.request(slot), reason);
    this.events.submit(true);
  }

  private beginWaiting(): void {
    while (this.waiting.length > 0 && this.pending.inHandlers < this.concurrency) {
      const next = this.waiting.shift()!;
      this.begin(this.events.request(next));
      this.pending.hadItsTurn(next);
    }
    this.events.submit(this.pending.inTime === 0);
  }

  private fail(io: IoRequest, thrown: unknown): void {
    const errno = this.failures.note(thrown, describeOp(io.op));
    io.complete(-errno);
  }
}

function succeed(io: IoRequest): void {
  const { op } = io;
  io.complete(op === UBLK_IO_OP_READ || op === UBLK_IO_OP_WRITE ? io.bytes : 0);
}

function zeroesOptions(flags: number): WriteZeroesOptions {
  return ZEROES[((flags & UBLK_IO_F_NOUNMAP) === 0 ? 0 : 2) + ((flags & UBLK_IO_F_FUA) === 0 ? 0 : 1)]!;
}
