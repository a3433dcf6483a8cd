/**
 * Delivery in batches, `-b` (UBLK_F_BATCH_IO): one command prepares all tags of a queue, a multishot command delivers
 * tags as 16-bit numbers into a provided buffer, and one command commits all requests that have been completed.
 *
 * Contract
 * - There are two fetch commands per queue, so that one is armed while the other's buffer is given back.
 * - Results are collected in the queue's element buffer until `flush`. A buffer that was submitted belongs to the
 *   kernel until the completion says how much of it was handled; the rest is submitted again.
 * - Any thread may serve any tag of its queues, and several threads may share a queue; only one of them prepares it.
 */
import type { Ring } from '../../native/ring/ring.ts';
import { IORING_CQE_F_MORE } from '../../native/uapi/io-uring-cqe-flags.ts';
import { IORING_URING_CMD_MULTISHOT, IOSQE_BUFFER_SELECT } from '../../native/uapi/io-uring-sqe-flags.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { UBLK_FETCH_ELEM_BYTES } from '../../native/uapi/ublk-batch.ts';
import {
  UBLK_U_IO_COMMIT_IO_CMDS,
  UBLK_U_IO_FETCH_IO_CMDS,
  UBLK_U_IO_PREP_IO_CMDS,
} from '../../native/uapi/ublk-commands.ts';
import { UBLK_IO_RES_ABORT } from '../../native/uapi/ublk-io.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { KIND_BATCH_COMMAND, KIND_BATCH_FETCH, kindOf, slotOf, tokenOf, userData } from '../user-data.ts';
import { ElementBuffers } from './element-buffers.ts';
import type { Arrivals, Delivery } from './delivery.ts';
import { FetchBuffer, FetchedTags } from './fetch-buffer.ts';

const FETCH = UBLK_U_IO_FETCH_IO_CMDS | 0;
const PREP = UBLK_U_IO_PREP_IO_CMDS | 0;
const COMMIT = UBLK_U_IO_COMMIT_IO_CMDS | 0;
const BUFFER_SELECT = IOSQE_BUFFER_SELECT << 8;
const { ENOBUFS } = ERRNO;
const FETCHES = 2;

export interface BatchOptions {
  readonly depth: number;
  /** The queues that this thread serves, and those of them that it prepares. */
  readonly queues: readonly number[];
  readonly prepares: readonly number[];
  /** UBLK_BATCH_F_* */
  readonly flags: number;
  readonly elemBytes: number;
  /** Each slot alternates between two places in the buffer table, this far apart; 0: it keeps its place. */
  readonly rotateBy: number;
  readonly beforeFetch: (slot: number) => void;
}

export class BatchDelivery implements Delivery {
  problem = 0;
  readonly linkable = false;
  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly device: CharDevice;
  private readonly options: BatchOptions;
  private readonly depth: number;
  private readonly rotateBy: number;
  private readonly fetches: FetchBuffer[] = [];
  private readonly tags: Uint16Array;
  protected readonly elements: ElementBuffers[] = [];
  /** Index in `elements`, by queue id. */
  private readonly ofQueue: Int32Array;
  /** Fetch commands that the kernel has; requests delivered whose commit is not submitted; commit commands under way. */
  private armed = 0;
  private inHand = 0;
  private commands = 0;
  private draining = false;

  constructor(ring: Ring, slots: Slots, device: CharDevice, options: BatchOptions) {
    this.ring = ring;
    this.slots = slots;
    this.device = device;
    this.options = options;
    this.depth = options.depth;
    this.rotateBy = options.rotateBy;
    this.ofQueue = new Int32Array(slots.count / options.depth).fill(-1);
    const tags = new FetchedTags(options.depth, options.queues.length * FETCHES);
    this.tags = tags.all;
    for (const queue of options.queues) {
      this.ofQueue[queue] = this.elements.length;
      this.elements.push(new ElementBuffers(queue, options.depth, options.elemBytes, this.elements.length));
      for (let i = 0; i < FETCHES; i++) {
        const group = this.fetches.length;
        this.fetches.push(new FetchBuffer(queue, tags, group, ring.registry.registerBufferRing(group, 1)));
      }
    }
  }

  get ended(): boolean {
    return this.draining && this.inHand === 0 && this.commands === 0;
  }

  start(): void {
    for (const queue of this.options.prepares) this.prepare(queue);
    for (let group = 0; group < this.fetches.length; group++) this.fetch(group);
  }

  completed(user: number, result: number, flags: number, arrivals: Arrivals): void {
    if (kindOf(user) === KIND_BATCH_FETCH) this.fetched(slotOf(user), result, flags, arrivals);
    else this.commanded(slotOf(user), tokenOf(user), result);
  }

  commit(slot: number, result: number): void {
    const slots = this.slots;
    let index = slots.autoBufReg[slot]! & 0xffff;
    if (this.rotateBy !== 0) {
      index = index < this.rotateBy ? index + this.rotateBy : index - this.rotateBy;
      slots.autoBufReg[slot] = index;
      slots.bufferIndex[slot] = index;
      slots.dataIndex[slot] = index;
    }
    const queueTag = slots.queueTag[slot]!;
    const elements = this.elementsOf(queueTag & 0xffff);
    elements.add((queueTag >>> 16) | (index << 16), result, slots.commandLo[slot]!, slots.commandHi[slot]!);
  }

  flush(): number {
    let commits = 0;
    let requests = 0;
    for (let i = 0; i < this.elements.length; i++) {
      const count = this.flushed(this.elements[i]!);
      if (count > 0) commits++;
      requests += count;
    }
    return this.prompt(commits, requests);
  }

  drain(): void {
    this.draining = true;
  }

  /**
   * Returns what `flush` returns. The driver handles a commit while it is submitted, so its completion is there when
   * the enter begins to wait, and would end the wait. For a single request that is right: its client is likely to send
   * the next one at once, and need not wake a thread that is awake (1,900 instructions of 55,400, counted at depth 1).
   * It is also right when no fetch is armed or the device leaves, as then nothing else is certain to come.
   */
  protected prompt(commits: number, requests: number): number {
    return requests < 2 || this.armed === 0 || this.draining ? 0 : commits;
  }

  /** Submits the results of one queue, and returns how many there are. */
  protected flushed(elements: ElementBuffers): number {
    const buffer = elements.take();
    if (buffer < 0) return 0;
    const count = elements.countOf(buffer);
    this.inHand -= count;
    this.submit(COMMIT, elements, buffer, 0);
    return count;
  }

  protected elementsOf(queue: number): ElementBuffers {
    return this.elements[this.ofQueue[queue]!]!;
  }

  private prepare(queue: number): void {
    const elements = this.elementsOf(queue);
    const slots = this.slots;
    for (let tag = 0; tag < this.depth; tag++) {
      const slot = queue * this.depth + tag;
      this.options.beforeFetch(slot);
      const index = slots.autoBufReg[slot]! & 0xffff;
      elements.add(tag | (index << 16), 0, slots.commandLo[slot]!, slots.commandHi[slot]!);
    }
    this.submit(PREP, elements, elements.take(), 1);
  }

  /** `token`: 1 for PREP_IO_CMDS, 0 for COMMIT_IO_CMDS. */
  private submit(op: number, elements: ElementBuffers, buffer: number, token: number): void {
    const { elemBytes } = this.options;
    const count = elements.countOf(buffer);
    this.commands++;
    this.ring.reserve(1);
    const user = userData(KIND_BATCH_COMMAND, (elements.position << 4) | buffer, token);
    this.ring.sq.begin(this.device.command, this.device.fd, user);
    const sqe = this.ring.sq.entry;
    sqe.cmdOp = op;
    sqe.addrLo = elements.addressLo(buffer);
    sqe.addrHi = elements.addressHi(buffer);
    sqe.len = count * elemBytes;
    sqe.cmd0 = elements.queue | (this.options.flags << 16);
    sqe.cmd1 = count | (elemBytes << 16);
  }

  private commanded(where: number, token: number, result: number): void {
    const elements = this.elements[where >> 4]!;
    const buffer = where & 15;
    this.commands--;
    if (token === 1) {
      if (result < 0 && this.problem === 0) this.problem = result;
      elements.release(buffer);
      return;
    }
    const { elemBytes } = this.options;
    const handled = result < 0 ? 0 : Math.trunc(result / elemBytes);
    if (elements.handled(buffer, handled, result < 0)) return;
    this.submit(COMMIT, elements, buffer, 0);
  }

  private fetch(group: number): void {
    const fetch = this.fetches[group]!;
    fetch.provide();
    this.armed++;
    this.ring.reserve(1);
    this.ring.sq.begin(this.device.command | BUFFER_SELECT, this.device.fd, userData(KIND_BATCH_FETCH, group, 0));
    const sqe = this.ring.sq.entry;
    sqe.cmdOp = FETCH;
    sqe.opFlags = IORING_URING_CMD_MULTISHOT;
    sqe.bufIndex = group;
    sqe.cmd0 = fetch.queue;
    sqe.cmd1 = fetch.capacity | (UBLK_FETCH_ELEM_BYTES << 16);
  }

  private fetched(group: number, result: number, flags: number, arrivals: Arrivals): void {
    const fetch = this.fetches[group]!;
    if (result > 0) this.deliver(fetch, result, arrivals);
    if (result < 0 && result !== -ENOBUFS) {
      this.armed--;
      this.draining = true;
      if (result !== UBLK_IO_RES_ABORT && this.problem === 0) this.problem = result;
    } else if ((flags & IORING_CQE_F_MORE) === 0 || result === -ENOBUFS) {
      this.armed--;
      this.fetch(group);
    }
  }

  private deliver(fetch: FetchBuffer, bytes: number, arrivals: Arrivals): void {
    const { tags } = this;
    const base = fetch.queue * this.depth;
    const count = bytes >>> 1;
    const end = fetch.at + count;
    this.inHand += count;
    for (let i = fetch.at; i < end; i++) arrivals.arrive(base + tags[i]!);
    fetch.at = end;
  }
}
