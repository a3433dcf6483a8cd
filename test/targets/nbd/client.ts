/**
 * The queue of the target nbd on a real ring, without a device: requests come from the test, and their data is in memory
 * of its own between two guards. The loop polls, so that a server in the same process can answer.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { viewOf } from '../../../src/native/libc/ffi.ts';
import { mapAnonymous } from '../../../src/native/memory.ts';
import { Ring } from '../../../src/native/ring/ring.ts';
import { IORING_CQE_F_SOCK_NONEMPTY } from '../../../src/native/uapi/io-uring-cqe-flags.ts';
import { CQE_WORD_FLAGS, CQE_WORD_RES, CQE_WORD_USER_DATA_LO } from '../../../src/native/uapi/io-uring-words.ts';
import { UBLK_IO_OP_FLUSH, UBLK_IO_OP_READ, UBLK_IO_OP_WRITE } from '../../../src/native/uapi/ublk-io.ts';
import { wordsOf } from '../../../src/native/words64.ts';
import { OwnOperations } from '../../../src/queue/target-ring.ts';
import { KIND_TARGET_OWN, kindOf, tokenOf } from '../../../src/queue/user-data.ts';
import { ConnectionWriter } from '../../../src/stats/connection-writer.ts';
import { type ConnectionStats, connectionOf } from '../../../src/stats/connections.ts';
import { BLOCK_BYTES } from '../../../src/stats/layout.ts';
import type { IoRequest, QueueContext } from '../../../src/targets/target.ts';
import { shareShutdowns } from '../../../src/targets/nbd/connection/shutdowns.ts';
import { nbdTarget, type NbdState } from '../../../src/targets/nbd/index.ts';
import { shareUnstored } from '../../../src/targets/nbd/transmission/unstored.ts';
import type { NbdQueue } from '../../../src/targets/nbd/queue.ts';
import { UNUSED } from './requests.ts';

const GUARD = 64;
const GUARD_BYTE = 0xa5;
const SECTOR = 512;
/** Both words of the first sector that the kernel gives a flush. */
const NOWHERE = -1;

interface Pending {
  readonly op: number;
  readonly sector: number;
  readonly sectors: number;
  readonly done: (result: number) => void;
}

export class NbdClient {
  private readonly ring = new Ring(64, 256);
  private readonly own: OwnOperations;
  private readonly memory: Buffer;
  private readonly address: bigint;
  private readonly pending: (Pending | undefined)[];
  private readonly bytes: number;
  /** The block of a stats page that the queue publishes its connection in. */
  private readonly published = new Float64Array(BLOCK_BYTES / 8);
  private queue: NbdQueue | undefined;
  /** The size of the device, as it would be after `update_size`; null: it has not changed. */
  deviceBytes: number | null = null;
  private isClosed = false;
  /** The thread handles completions: outside of that, ThreadEvents.request finds a request. */
  private isWalking = false;
  /** The thread would sleep in the event loop. */
  private isInLoop = false;

  /** `slots` requests at once, of at most `bytes` bytes. */
  constructor(slots: number, bytes: number) {
    this.bytes = bytes;
    const memory = mapAnonymous(slots * (bytes + 2 * GUARD), 'of a test');
    this.address = memory.address;
    this.memory = viewOf(memory.address, memory.length);
    this.memory.fill(GUARD_BYTE);
    this.pending = Array.from({ length: slots });
    this.own = new OwnOperations(this.ring, this.places(slots));
    this.own.attach(this.request(0));
  }

  async connect(options: Readonly<Record<string, string>>): Promise<void> {
    const context: QueueContext<NbdState> = {
      state: {
        options,
        maxIoBufBytes: this.bytes,
        dataPath: 'copy',
        kept: null,
        shutdowns: shareShutdowns(),
        unstored: shareUnstored(),
      },
      integrity: null,
      slots: this.pending.length,
      maxIoBufBytes: this.bytes,
      thread: 0,
      threads: 1,
      deviceBytes: () => this.deviceBytes,
      ring: this.own,
      connection: new ConnectionWriter(this.published),
      events: {
        sleepInLoop: () => void (this.isInLoop = true),
        sleepInRing: () => void (this.isInLoop = false),
        request: (slot) => this.request(slot),
        submit: (now) => {
          if (now && this.queue !== undefined) this.turn(this.queue);
        },
        reportStuck: () => {},
      },
    };
    this.queue = (await nbdTarget.queue(context)) as NbdQueue;
    void this.run(this.queue);
  }

  read(slot: number, sector: number, sectors: number): Promise<Buffer | number> {
    this.dataOf(slot).fill(0xee);
    const done = this.start(slot, { op: UBLK_IO_OP_READ, sector, sectors });
    return done.then((result) =>
      result === sectors * SECTOR ? Buffer.from(this.dataOf(slot).subarray(0, result)) : result,
    );
  }

  write(slot: number, sector: number, data: Uint8Array): Promise<number> {
    this.dataOf(slot).set(data);
    return this.start(slot, { op: UBLK_IO_OP_WRITE, sector, sectors: data.length / SECTOR });
  }

  flush(slot: number): Promise<number> {
    return this.start(slot, { op: UBLK_IO_OP_FLUSH, sector: NOWHERE, sectors: 0 });
  }

  get connection(): ConnectionStats | null {
    return connectionOf(new Int32Array(this.published.buffer), this.published);
  }

  close(): void {
    this.isClosed = true;
    void this.queue?.close();
    this.requireGuards();
    this.ring.close();
  }

  /** Nothing was written between the data of the slots. */
  requireGuards(): void {
    const stride = this.bytes + 2 * GUARD;
    for (let slot = 0; slot < this.pending.length; slot++) {
      const all = this.memory.subarray(slot * stride, (slot + 1) * stride);
      const guards = [...all.subarray(0, GUARD), ...all.subarray(GUARD + this.bytes)];
      assert.ok(
        guards.every((byte) => byte === GUARD_BYTE),
        `the guards of slot ${slot}`,
      );
    }
  }

  private start(slot: number, request: Omit<Pending, 'done'>): Promise<number> {
    assert.equal(this.pending[slot], undefined, `slot ${slot} is free`);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.pending[slot] = { ...request, done: resolve };
    this.queue?.queueIo(this.request(slot));
    return promise;
  }

  private async run(queue: NbdQueue): Promise<void> {
    while (!this.isClosed) {
      this.turn(queue);
      const isUp = this.connection?.state === 'up';
      assert.ok(isUp || this.isInLoop, 'a thread without a connection sleeps where timers and sockets wake it');
      await turn();
    }
  }

  /** As a queue thread does in one turn: submits what was started, and handles what has ended. */
  private turn(queue: NbdQueue): void {
    const { ring } = this;
    this.isWalking = true;
    queue.batchEnd();
    ring.enter(0);
    const { cq } = ring;
    const tail = cq.ready();
    let { head } = cq;
    for (; head !== tail; head = (head + 1) | 0) {
      const at = cq.at(head);
      const user = cq.words[at + CQE_WORD_USER_DATA_LO]!;
      assert.equal(kindOf(user), KIND_TARGET_OWN);
      const hasMore = (cq.words[at + CQE_WORD_FLAGS]! & IORING_CQE_F_SOCK_NONEMPTY) !== 0;
      queue.ringDone(tokenOf(user), cq.words[at + CQE_WORD_RES]!, hasMore);
    }
    cq.seen(head);
    this.isWalking = false;
  }

  private complete(slot: number, result: number): void {
    const pending = this.pending[slot];
    assert.ok(pending !== undefined, `the request of slot ${slot} is completed once`);
    this.pending[slot] = undefined;
    pending.done(result);
  }

  private addressOf(slot: number): readonly [lo: number, hi: number] {
    return wordsOf(this.address + BigInt(slot * (this.bytes + 2 * GUARD) + GUARD));
  }

  /** Where the data of each slot is, as a queue thread has it in its Slots. */
  private places(slots: number) {
    const addresses = Array.from({ length: slots }, (_, slot) => this.addressOf(slot));
    return {
      dataLo: Int32Array.from(addresses, ([lo]) => lo),
      dataHi: Int32Array.from(addresses, ([, hi]) => hi),
      dataIndex: new Int32Array(slots).fill(-1),
    };
  }

  private dataOf(slot: number): Buffer {
    const at = slot * (this.bytes + 2 * GUARD) + GUARD;
    return this.memory.subarray(at, at + this.bytes);
  }

  /** As the thread's request, it points at one slot at a time. */
  private request(first: number): IoRequest & { load: (slot: number) => void } {
    let slot = first;
    const now = (): Pending => {
      const pending = this.pending[slot];
      assert.ok(pending !== undefined, `slot ${slot} has a request`);
      return pending;
    };
    const address = () => this.addressOf(slot);
    return {
      ...UNUSED,
      load: (other) => {
        assert.ok(this.isWalking, 'TargetRing.request is called while the thread handles completions');
        slot = other;
      },
      get slot() {
        return slot;
      },
      get op() {
        return now().op;
      },
      get flags() {
        return now().op;
      },
      get startLo() {
        return now().sector;
      },
      get startHi() {
        return now().sector === NOWHERE ? NOWHERE : 0;
      },
      get sectors() {
        return now().sectors;
      },
      get bytes() {
        return now().sectors * SECTOR;
      },
      get dataLo() {
        return address()[0];
      },
      get dataHi() {
        return address()[1];
      },
      pending: 0,
      result: 0,
      view: () => this.dataOf(slot).subarray(0, now().sectors * SECTOR),
      complete: (result) => this.complete(slot, result),
    };
  }
}
