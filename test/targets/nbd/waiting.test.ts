/** Which reply belongs to which request. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
} from '../../../src/native/uapi/ublk-io.ts';
import { Waiting } from '../../../src/targets/nbd/transmission/waiting.ts';
import { requestOf } from './requests.ts';

describe('a request', () => {
  test('is answered by its own cookie only, and not before its message is sent', () => {
    const waiting = new Waiting(4, false);
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

describe('an acknowledged write', () => {
  test('is unstored until a flush has succeeded that was sent after its acknowledgement', () => {
    const waiting = new Waiting(4, false);
    const write = requestOf(UBLK_IO_OP_WRITE, 0);
    const flush = requestOf(UBLK_IO_OP_FLUSH, 1);
    const early = requestOf(UBLK_IO_OP_FLUSH, 2);
    assert.equal(waiting.isUnstored, false);
    waiting.succeeded(requestOf(UBLK_IO_OP_WRITE, 0, UBLK_IO_F_FUA));
    assert.equal(waiting.isUnstored, false, 'FUA stores it at once');
    waiting.forReply(early);
    waiting.forReply(write);
    waiting.succeeded(write);
    assert.equal(waiting.isUnstored, true);
    waiting.succeeded(early);
    assert.equal(waiting.isUnstored, true, 'the flush may have been served before the write');
    waiting.forReply(flush);
    waiting.lost(1);
    assert.equal(waiting.isUnstored, true);
    waiting.forReply(flush);
    waiting.succeeded(flush);
    assert.equal(waiting.isUnstored, false);
    waiting.succeeded(early);
    assert.equal(waiting.isUnstored, false, 'an older flush that is answered last changes nothing');
  });
});
