/** Which reply belongs to which request. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  UBLK_IO_F_FUA,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
} from '../../../src/native/uapi/ublk-io.ts';
import { shareUnstored, Unstored } from '../../../src/targets/nbd/transmission/unstored.ts';
import { Waiting } from '../../../src/targets/nbd/transmission/waiting.ts';
import { requestOf, unstoredOf } from './requests.ts';

describe('a request', () => {
  test('is answered by its own cookie only, and not before its message is sent', () => {
    const waiting = new Waiting(4, false, unstoredOf(4));
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
    const unstored = unstoredOf(4);
    const waiting = new Waiting(4, false, unstored);
    const write = requestOf(UBLK_IO_OP_WRITE, 0);
    const flush = requestOf(UBLK_IO_OP_FLUSH, 1);
    const early = requestOf(UBLK_IO_OP_FLUSH, 2);
    assert.equal(unstored.is, false);
    waiting.succeeded(requestOf(UBLK_IO_OP_WRITE, 0, UBLK_IO_F_FUA));
    assert.equal(unstored.is, false, 'FUA stores it at once');
    waiting.forReply(early);
    waiting.forReply(write);
    waiting.succeeded(write);
    assert.equal(unstored.is, true);
    waiting.succeeded(early);
    assert.equal(unstored.is, true, 'the flush may have been served before the write');
    waiting.forReply(flush);
    waiting.lost(1);
    assert.equal(unstored.is, true);
    waiting.forReply(flush);
    waiting.succeeded(flush);
    assert.equal(unstored.is, false);
    waiting.succeeded(early);
    assert.equal(unstored.is, false, 'an older flush that is answered last changes nothing');
  });

  test('is stored by a flush on any connection of the device that was sent after its acknowledgement', () => {
    const shared = shareUnstored();
    const [first, second] = [0, 1].map((thread) => new Unstored({ shared, slots: 4, thread, threads: 2 }));
    assert.ok(first !== undefined && second !== undefined);
    const [writer, flusher] = [new Waiting(4, false, first), new Waiting(4, false, second)];
    const flush = requestOf(UBLK_IO_OP_FLUSH, 3);
    writer.succeeded(requestOf(UBLK_IO_OP_WRITE, 0));
    assert.deepEqual([first.is, second.is], [true, true], 'the first connection that is lost speaks for all');
    flusher.forReply(flush);
    writer.succeeded(requestOf(UBLK_IO_OP_WRITE, 1));
    flusher.succeeded(flush);
    assert.equal(first.is, true, 'the second write came later');
    flusher.forReply(flush);
    flusher.succeeded(flush);
    assert.deepEqual([first.is, second.is], [false, false]);
  });
});
