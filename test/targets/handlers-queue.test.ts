/** The requests of a target's handlers on one thread, as far as no kernel is needed: what ends them, and in which order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import { UBLK_IO_OP_READ } from '../../src/native/uapi/ublk-io.ts';
import type { Handlers } from '../../src/targets/handlers/define.ts';
import { ConnectionWriter } from '../../src/stats/connection-writer.ts';
import { BLOCK_BYTES } from '../../src/stats/layout.ts';
import { HandlersQueue } from '../../src/targets/handlers/queue.ts';
import type { IoRequest, QueueContext } from '../../src/targets/target.ts';

const BYTES = 4096;

describe('a handler that answers with a value fails its request', () => {
  for (const [name, answer] of [
    ['a number of bytes', () => BYTES],
    ['a promise of a number', () => Promise.resolve(BYTES)],
    ['a buffer', () => Buffer.alloc(1)],
    ['null', () => null],
  ] as const) {
    test(name, async () => {
      const thread = new Thread({ read: answer as unknown as Handlers['read'] });
      thread.read(0);
      await sleep(1);
      assert.deepEqual(thread.results, [[0, -ERRNO.EIO]]);
    });
  }

  test('and one that answers with nothing, or a promise of nothing, does not', async () => {
    const thread = new Thread({ read: (_buffer, offset) => (offset === 0 ? undefined : Promise.resolve()) });
    thread.read(0);
    thread.read(1);
    await sleep(1);
    assert.deepEqual(thread.results, [
      [0, BYTES],
      [1, BYTES],
    ]);
  });
});

describe('a promise of a class of its own ends its request once', () => {
  for (const [name, then, result] of [
    ['also when its `then` throws', () => assert.fail('no'), -ERRNO.EIO],
    ['also when its `then` calls back at once, and again', (done?: () => void) => void [done?.(), done?.()], BYTES],
  ] as const) {
    test(name, async () => {
      class Own extends Promise<void> {}
      // oxlint-disable-next-line unicorn/no-thenable -- it is what this is about
      Reflect.defineProperty(Own.prototype, 'then', { value: then });
      const promise = Own.resolve();
      const thread = new Thread({ read: () => promise });
      thread.read(0);
      assert.deepEqual(thread.results, []);
      await sleep(1);
      assert.deepEqual(thread.results, [[0, result]]);
      await thread.queue.close();
    });
  }
});

test('a promise with a `then` of its own ends its request once', async () => {
  // oxlint-disable-next-line unicorn/no-thenable -- it is what this is about
  const promise = Object.assign(Promise.resolve(), { then: (done: () => void) => [done(), done()] });
  const thread = new Thread({ read: () => promise });
  thread.read(0);
  await sleep(1);
  assert.deepEqual(thread.results, [[0, BYTES]]);
  await thread.queue.close();
});

test('an error has its code for the client, also where it has no text for the log', () => {
  const error = Object.assign(new Error('x'), { code: 'ENOSPC' });
  Reflect.defineProperty(error, 'stack', { get: () => assert.fail('no') });
  const thread = new Thread({
    read: () => {
      throw error;
    },
  });
  thread.read(0);
  assert.deepEqual(thread.results, [[0, -ERRNO.ENOSPC]]);
});

describe('with one request at a time and a timeout', () => {
  test('the next one waits for a late handler, and begins when that has ended', async () => {
    const late = Promise.withResolvers<void>();
    let running = 0;
    const thread = new Thread({
      concurrency: 1,
      timeout: 0.2,
      async read(_buffer, offset) {
        assert.equal(++running, 1, 'never two at once');
        if (offset === 0) await late.promise;
        running--;
      },
    });
    thread.read(0);
    await sleep(300);
    assert.deepEqual(thread.results, [[0, -ERRNO.ETIMEDOUT]]);
    thread.read(1);
    await sleep(50);
    assert.equal(thread.results.length, 1);
    late.resolve();
    await sleep(1);
    assert.deepEqual(thread.results.slice(1), [[1, BYTES]]);
    await thread.queue.close();
  });

  test('those that wait behind nothing but late handlers fail too, and the device lives on', async () => {
    const late = Promise.withResolvers<void>();
    const thread = new Thread({
      concurrency: 1,
      timeout: 0.2,
      read: (_buffer, offset) => (offset === 0 ? late.promise : undefined),
    });
    thread.read(0);
    thread.read(1);
    thread.read(2);
    await sleep(400);
    assert.deepEqual(
      thread.results,
      [0, 1, 2].map((slot) => [slot, -ERRNO.ETIMEDOUT]),
    );
    late.resolve();
    await sleep(1);
    thread.read(3);
    assert.deepEqual(thread.results.slice(3), [[3, BYTES]]);
    await thread.queue.close();
  });

  test('those that wait behind handlers in time do not fail, however long it takes', async () => {
    const thread = new Thread({ concurrency: 1, timeout: 0.2, read: () => sleep(120) });
    for (const slot of [0, 1, 2, 3]) thread.read(slot);
    await sleep(600);
    assert.deepEqual(
      thread.results,
      [0, 1, 2, 3].map((slot) => [slot, BYTES]),
    );
    await thread.queue.close();
  });
});

/** The adapter with a thread around it that keeps what requests end in, by slot; a slot's offset is its number in blocks. */
class Thread {
  readonly results: (readonly [slot: number, result: number])[] = [];
  readonly queue: HandlersQueue;

  constructor(handlers: Pick<Handlers, 'read'> & Partial<Handlers>) {
    const context: QueueContext = {
      state: undefined,
      integrity: null,
      slots: 8,
      maxIoBufBytes: 1 << 20,
      thread: 0,
      threads: 1,
      deviceBytes: () => null,
      connection: new ConnectionWriter(new Float64Array(BLOCK_BYTES / 8)),
      events: {
        sleepInLoop: () => {},
        sleepInRing: () => {},
        request: (slot) => this.request(slot),
        submit: () => {},
        reportStuck: () => {},
      },
      ring: {
        receive: () => {},
        receiveData: () => {},
        sendMessage: () => {},
        sendData: () => {},
        reserve: () => {},
        timeout: () => {},
        request: (slot) => this.request(slot),
      },
    };
    this.queue = new HandlersQueue({ size: 1 << 20, ...handlers }, {}, context, '/some/target.ts');
  }

  read(slot: number): void {
    this.queue.queueIo(this.request(slot));
  }

  private request(slot: number): IoRequest {
    const request = {
      slot,
      op: UBLK_IO_OP_READ,
      flags: UBLK_IO_OP_READ,
      startLo: slot * 8,
      startHi: 0,
      sectors: BYTES / 512,
      bytes: BYTES,
      view: () => Buffer.alloc(BYTES),
      abandonView: () => () => {},
      complete: (result: number) => void this.results.push([slot, result]),
    };
    return request as unknown as IoRequest;
  }
}
