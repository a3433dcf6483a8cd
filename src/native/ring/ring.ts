/**
 * A queue thread's ring.
 *
 * Contract: made, filled, entered and closed by one thread (IORING_SETUP_SINGLE_ISSUER). Completions are posted only
 * inside `enter` (DEFER_TASKRUN), so that what a completion means cannot change while the queue is walked.
 */
import { closeSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { systemError } from '../libc/calls.ts';
import { type EnterCall, loadEnter } from '../libc/enter.ts';
import {
  IORING_ENTER_GETEVENTS,
  IORING_ENTER_NO_IOWAIT,
  IORING_ENTER_REGISTERED_RING,
} from '../uapi/io-uring-enter.ts';
import {
  IORING_FEAT_NO_IOWAIT,
  IORING_SETUP_COOP_TASKRUN,
  IORING_SETUP_DEFER_TASKRUN,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SUBMIT_ALL,
} from '../uapi/io-uring-setup.ts';
import type { CompletionQueue } from './completion-queue.ts';
import { RingRegistry } from './register.ts';
import { mapAnonymous, type MappedMemory, PAGE_SIZE } from '../memory.ts';
import { type RingParts, setUpRing } from './setup.ts';
import type { SubmissionQueue } from './submission-queue.ts';

const EINTR = 4;
const EAGAIN = 11;
const EBUSY = 16;

export class Ring {
  readonly sq: SubmissionQueue;
  readonly cq: CompletionQueue;
  readonly registry: RingRegistry;
  private readonly parts: RingParts;
  private readonly call: EnterCall;
  private readonly argument: MappedMemory;

  constructor(sqEntries: number, cqEntries: number) {
    const flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL;
    this.parts = setUpRing({ sqEntries, cqEntries, flags });
    this.sq = this.parts.sq;
    this.cq = this.parts.cq;
    this.registry = new RingRegistry(this.parts.fd);
    // A registered ring descriptor saves the kernel a look-up and a reference on every call.
    const index = this.registry.registerRingFd();
    // A server that waits for requests is idle, not waiting for I/O: no iowait accounting where it can be left out.
    const noIowait = (this.parts.features & IORING_FEAT_NO_IOWAIT) === 0 ? 0 : IORING_ENTER_NO_IOWAIT;
    const registered = index < 0 ? 0 : IORING_ENTER_REGISTERED_RING;
    this.argument = mapAnonymous(PAGE_SIZE, 'of io_uring_enter');
    this.call = loadEnter({
      fd: index < 0 ? this.parts.fd : index,
      flags: IORING_ENTER_GETEVENTS | noIowait | registered,
      words: this.argument.words(0, 2),
      address: this.argument.address,
    });
  }

  /**
   * Submits what is pending and returns when `waitFor` completions are there or a signal came. Flushes completions
   * that did not fit in the queue before, too.
   */
  enter(waitFor: number): void {
    const sq = this.sq;
    sq.publish();
    const taken = this.call.enter(sq.pending, waitFor);
    if (taken === sq.pending) sq.allTaken();
    else this.short(taken);
  }

  /** Room for `count` more entries, which one request's chain needs to be submitted together. */
  reserve(count: number): void {
    if (this.sq.pending + count > this.sq.entries) this.flush(count);
  }

  close(): void {
    this.call.close();
    this.argument.unmap();
    this.parts.ring.unmap();
    this.parts.sqes.unmap();
    closeSync(this.parts.fd);
  }

  private flush(count: number): void {
    for (let tries = 0; this.sq.pending + count > this.sq.entries; tries++) {
      if (tries === 1000) {
        throw new UblkError(`io_uring takes no entries: ${this.sq.pending} wait`, {
          code: 'EBUSY',
          command: 'io_uring_enter',
        });
      }
      this.enter(0);
    }
  }

  /** Fewer were taken than given, or none and an error; what was not taken stays pending for the next call. */
  private short(taken: number): void {
    if (taken >= 0) {
      if (taken > 0 && this.sq.linkedAt(taken - 1)) throw splitChain(taken, this.sq.pending);
      this.sq.consumed(taken);
      return;
    }
    const errno = -taken;
    if (errno === EINTR || errno === EAGAIN || errno === EBUSY) return;
    throw systemError('io_uring_enter', errno, 'of a queue thread');
  }
}

/** The rest of the chain would run even if its beginning fails: who waits for it must not hear that all went well. */
function splitChain(taken: number, pending: number): UblkError {
  return new UblkError(`io_uring took ${taken} of ${pending} entries and parted a chain`, {
    code: 'ENOMEM',
    command: 'io_uring_enter',
    hint: 'the kernel had no memory left: `ublkts recover` when there is some',
  });
}
