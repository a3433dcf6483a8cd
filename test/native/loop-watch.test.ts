/** A ring that wakes the event loop of its thread, and costs it nothing while nothing comes. Needs io_uring. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { eventfd, pipe } from '../../src/native/libc/calls.ts';
import { LoopWatch } from '../../src/native/loop-watch.ts';
import { mapAnonymous } from '../../src/native/memory.ts';
import { isRingRefusal } from '../../src/native/ring/setup-failure.ts';
import { Ring } from '../../src/native/ring/ring.ts';
import { IORING_OP_READ } from '../../src/native/uapi/io-uring-opcodes.ts';
import { wordsOf } from '../../src/native/words64.ts';

const skip = refusal();

describe('a ring on the event loop', { skip }, () => {
  test('wakes it for each completion, however the loop is waiting, and never else', async () => {
    const ring = new Ring(8, 16);
    const [readEnd, writeEnd] = pipe();
    const memory = mapAnonymous(8, 'of a test');
    const signal = eventfd();
    const arm = (): void => {
      const [lo, hi] = wordsOf(memory.address);
      ring.sq.begin(IORING_OP_READ, readEnd, 0);
      const sqe = ring.sq.entry;
      sqe.addrLo = lo;
      sqe.addrHi = hi;
      sqe.len = 1;
    };
    ring.signalOn(signal);
    arm();
    let completions = 0;
    let turns = 0;
    let came = Promise.withResolvers<void>();
    const watch = await LoopWatch.start([signal], () => {
      turns++;
      ring.signals(false);
      ring.enter(0);
      if (ring.cq.ready() !== ring.cq.head) {
        ring.cq.seen(ring.cq.ready());
        completions++;
        arm();
        came.resolve();
      }
      ring.signals(true);
      ring.enter(0);
    });
    watch.soon();
    await sleep(10);
    for (let i = 0; i < 2000; i++) {
      came = Promise.withResolvers();
      // From a timer, the check phase and a microtask: each leaves the loop in another state.
      if (i % 100 === 0) await sleep(1);
      else if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      writeSync(writeEnd, '.');
      await came.promise;
    }
    assert.equal(completions, 2000);
    const before = turns;
    await sleep(300);
    assert.ok(turns - before <= 3, `${turns - before} turns while nothing came`);
    watch.close();
    ring.close();
    for (const fd of [readEnd, writeEnd, signal]) closeSync(fd);
  });
});

test('a file that cannot be watched is refused, and nothing stays open', async () => {
  const file = openSync(import.meta.filename, 'r');
  try {
    const before = readdirSync('/proc/self/fd').length;
    await assert.rejects(
      LoopWatch.start([file], () => {}),
      { code: 'EPERM', command: 'epoll_ctl' },
    );
    // The end of the pipe that belongs to a socket of Node's is closed in a later turn.
    await sleep(20);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  } finally {
    closeSync(file);
  }
});

function refusal(): string | false {
  try {
    new Ring(8, 16).close();
    return false;
  } catch (error) {
    if (isRingRefusal(error)) return error.message;
    throw error;
  }
}
