/** The sleep of a queue thread in the event loop, with a real ring, and its way back. Needs io_uring. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventfd } from '../../src/native/libc/calls.ts';
import { isRingRefusal } from '../../src/native/ring/setup-failure.ts';
import { Ring } from '../../src/native/ring/ring.ts';
import { IORING_OP_NOP } from '../../src/native/uapi/io-uring-opcodes.ts';
import { LoopSleep, type Sleeper } from '../../src/queue/loop-sleep.ts';

const skip = refusal();

describe('a queue thread', { skip, timeout: 30_000 }, () => {
  test('leaves its ring for the event loop and returns to it, again and again', async () => {
    const ring = new Ring(8, 16);
    const loop = new LoopSleep(ring, eventfd(), undefined);
    let left = 0;
    const completions: number[] = [];
    const thread: Sleeper = {
      ended: false,
      leaveRing: () => void left++,
      request: () => assert.fail('nothing asks for a request'),
      turn: () => {
        ring.signals(false);
        ring.enter(0);
        const tail = ring.cq.ready();
        if (tail !== ring.cq.head) completions.push(tail);
        ring.cq.seen(tail);
        ring.signals(true);
        return false;
      },
    };
    loop.attach(thread);
    for (let round = 1; round <= 3; round++) {
      loop.sleepInLoop();
      assert.equal(left, round);
      assert.ok(loop.isWanted);
      const served = loop.serve(thread);
      // A timer of the target's own runs meanwhile, and what it starts is submitted.
      await sleep(5);
      ring.sq.begin(IORING_OP_NOP, -1, 0);
      loop.submit(true);
      while (completions.length < round) await sleep(1);
      loop.sleepInRing();
      await served;
      assert.ok(!loop.isWanted);
    }
    loop.close();
    ring.close();
  });
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
