/**
 * The ring of one queue thread.
 *
 * Contract: one thread makes, fills, enters and closes the ring (IORING_SETUP_SINGLE_ISSUER). Completions are posted
 * only inside `enter` (DEFER_TASKRUN), so none arrives while the queue is walked.
 */
import { UblkError } from '../../errors.ts';
import { closeDescriptor, systemError } from '../libc/calls.ts';
import { type EnterCall, loadEnter } from '../libc/enter.ts';
import {
  IORING_CQ_EVENTFD_DISABLED,
  IORING_ENTER_GETEVENTS,
  IORING_ENTER_NO_IOWAIT,
  IORING_ENTER_REGISTERED_RING,
  IORING_SQ_CQ_OVERFLOW,
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
import type { RingRemains } from './remains.ts';
import { mapAnonymous, type MappedMemory, PAGE_SIZE } from '../memory.ts';
import { type RingParts, setUpRing } from './setup.ts';
import type { SubmissionQueue } from './submission-queue.ts';
import { ERRNO } from '../uapi/errno.ts';

const { EINTR, EAGAIN, EBUSY } = ERRNO;

export class Ring {
  readonly sq: SubmissionQueue;
  readonly cq: CompletionQueue;
  readonly registry: RingRegistry;
  private readonly parts: RingParts;
  private readonly call: EnterCall;
  private readonly argument: MappedMemory;
  /** The words of the ring's mapping. */
  private readonly flags: Int32Array;

  constructor(sqEntries: number, cqEntries: number) {
    const flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL;
    this.argument = mapAnonymous(PAGE_SIZE, 'of io_uring_enter');
    try {
      this.parts = setUpRing({ sqEntries, cqEntries, flags });
    } catch (error) {
      this.argument.unmap();
      throw error;
    }
    this.sq = this.parts.sq;
    this.cq = this.parts.cq;
    this.flags = this.parts.ring.words();
    this.registry = new RingRegistry(this.parts.fd);
    // With a registered ring descriptor, the kernel needs no look-up and no reference in each call.
    const index = this.registry.registerRingFd();
    // A server that waits for requests is idle. Where the kernel allows it, that is not counted as waiting for I/O.
    const noIowait = (this.parts.features & IORING_FEAT_NO_IOWAIT) === 0 ? 0 : IORING_ENTER_NO_IOWAIT;
    const registered = index < 0 ? 0 : IORING_ENTER_REGISTERED_RING;
    try {
      this.call = loadEnter({
        fd: index < 0 ? this.parts.fd : index,
        flags: IORING_ENTER_GETEVENTS | noIowait | registered,
        words: this.argument.words(0, 2),
        address: this.argument.address,
      });
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /**
   * Submits the pending entries and returns when there are `waitFor` completions or a signal came. It also fetches
   * completions that did not fit into the queue before.
   */
  enter(waitFor: number): void {
    const sq = this.sq;
    sq.publish();
    const taken = this.call.enter(sq.pending, waitFor);
    if (taken === sq.pending) sq.allTaken();
    else this.short(taken);
  }

  /** Signals completions that come outside of `enter` on `fd`, an eventfd, while `signals` has them on: they are off. */
  signalOn(fd: number): void {
    this.signals(false);
    this.registry.registerEventfd(fd);
  }

  /** Whether what comes from now on is signalled. */
  signals(on: boolean): void {
    this.flags[this.parts.cqFlagsWord] = on ? 0 : IORING_CQ_EVENTFD_DISABLED;
  }

  /** Whether the kernel holds completions back that did not fit into the queue. */
  get overflows(): boolean {
    return (this.flags[this.parts.sqFlagsWord]! & IORING_SQ_CQ_OVERFLOW) !== 0;
  }

  /** Makes room for `count` more entries, because the chain of one request has to be submitted together. */
  reserve(count: number): void {
    if (this.sq.pending + count > this.sq.entries) this.flush(count);
  }

  /** For whoever closes the ring when its thread cannot. */
  get remains(): RingRemains {
    const { fd, ring, sqes } = this.parts;
    const { file } = this.call;
    const mappings = [ring, sqes].map(({ address, length }) => ({ address, length }));
    return { fds: file === null ? [fd] : [fd, file], mappings };
  }

  /** Commands that are under way are cancelled by the kernel. Nothing of the ring may be used any more. */
  close(): void {
    this.call.close();
    this.free();
  }

  private free(): void {
    this.argument.unmap();
    this.parts.ring.unmap();
    this.parts.sqes.unmap();
    closeDescriptor(this.parts.fd);
  }

  private flush(count: number): void {
    for (let tries = 0; this.sq.pending + count > this.sq.entries; tries++) {
      if (tries === 1000) {
        throw new UblkError(`io_uring takes no entries although ${this.sq.pending} are pending`, {
          code: 'EBUSY',
          command: 'io_uring_enter',
        });
      }
      this.enter(0);
    }
  }

  /**
   * Handles a call that took fewer entries than there were, or failed. The other entries stay pending for the next
   * call.
   */
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

/**
 * The error when a chain was submitted in part. The rest would run even if the first part fails, and report success.
 */
function splitChain(taken: number, pending: number): UblkError {
  return new UblkError(`io_uring took ${taken} of ${pending} entries, which split a chain`, {
    code: 'ENOMEM',
    command: 'io_uring_enter',
    hint: 'the kernel had no memory left: run `ublkts recover` when there is memory again',
  });
}
