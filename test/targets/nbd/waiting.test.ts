/** Which reply belongs to which request. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UBLK_IO_OP_READ } from '../../../src/native/uapi/ublk-io.ts';
import { Waiting } from '../../../src/targets/nbd/waiting.ts';
import { requestOf } from './requests.ts';

describe('a request', () => {
  test('is answered by its own cookie only, and not before its message is sent', () => {
    const waiting = new Waiting(4);
    const read = requestOf(UBLK_IO_OP_READ, 2);
    waiting.forReply(read);
    const hi = waiting.cookieHiOf(2);
    assert.equal(waiting.slotOf(2, hi), -1, 'the message is still being filled');
    waiting.messageBegins();
    assert.equal(waiting.slotOf(2, hi), 2);
    for (const [lo, high] of [
      [1, hi],
      [2, hi + 1],
      [-1, hi],
      [4, hi],
    ] as const) {
      assert.equal(waiting.slotOf(lo, high), -1);
    }
    waiting.answered(read);
    waiting.forNothing(2);
    assert.equal(waiting.slotOf(2, hi), -1, 'it is answered once');
    waiting.forReply(read);
    assert.equal(waiting.slotOf(2, waiting.cookieHiOf(2)), -1, 'the next use of the slot waits for the next message');
  });
});
