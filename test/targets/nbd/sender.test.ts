/** The entries that a message takes in the smallest ring that a queue thread may have. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ring } from '../../../src/native/ring/ring.ts';
import { UBLK_IO_OP_FLUSH, UBLK_IO_OP_WRITE } from '../../../src/native/uapi/ublk-io.ts';
import { OwnOperations } from '../../../src/queue/target-ring.ts';
import { ConnectionWriter } from '../../../src/stats/connection-writer.ts';
import { BLOCK_BYTES } from '../../../src/stats/layout.ts';
import { Sender } from '../../../src/targets/nbd/transmission/sender.ts';
import { Waiting } from '../../../src/targets/nbd/transmission/waiting.ts';
import { requestOf, ringRefusal, unstoredOf } from './requests.ts';

/** What requestOf asks for. */
const BYTES = 4096;

describe('a message', { skip: ringRefusal() }, () => {
  for (const slots of [4, 8, 16]) {
    test(`of ${slots} writes from registered buffers fits into the ring of a thread with ${slots} slots`, () => {
      const { sender, ring } = senderOf(slots);
      for (let slot = 0; slot < slots; slot++) sender.take(requestOf(UBLK_IO_OP_WRITE, slot));
      sender.submit(-1);
      assert.equal(ring.sq.pending, 2 * slots);
      ring.close();
    });

    test(`of ${slots - 1} writes from registered buffers and a flush does too`, () => {
      const { sender, ring } = senderOf(slots);
      for (let slot = 1; slot < slots; slot++) sender.take(requestOf(UBLK_IO_OP_WRITE, slot));
      sender.take(requestOf(UBLK_IO_OP_FLUSH, 0));
      sender.submit(-1);
      assert.equal(ring.sq.pending, 2 * slots - 1);
      ring.close();
    });
  }
});

describe('requests that find no room', { skip: ringRefusal() }, () => {
  test('keep their turn, although new ones come with the end of every message', () => {
    const SLOTS = 64;
    const { sender, ring, waiting } = senderOf(SLOTS);
    const slots = [...Array(SLOTS).keys()];
    for (const slot of slots) sender.take(requestOf(UBLK_IO_OP_WRITE, slot));
    const sent = new Set<number>();
    for (let round = 0; round < 6; round++) {
      sender.submit(-1);
      const now = slots.filter((slot) => !waiting.isForMessage(slot));
      now.forEach((slot) => sent.add(slot));
      assert.equal(sender.ended(0, BYTES), '');
      // The clients of all that was sent ask again at once.
      for (const slot of now) sender.take(requestOf(UBLK_IO_OP_WRITE, slot));
    }
    assert.equal(sent.size, SLOTS);
    ring.close();
  });

  test('come behind the one that is put ahead of them, and keep waiting', () => {
    const SLOTS = 64;
    const { sender, ring, waiting } = senderOf(SLOTS);
    const slots = [...Array(SLOTS).keys()];
    for (const slot of slots) sender.take(requestOf(UBLK_IO_OP_WRITE, slot));
    const waitingSlots = (): number[] => slots.filter((slot) => waiting.isForMessage(slot));
    sender.submit(-1);
    const before = waitingSlots();
    const last = before.at(-1)!;
    assert.ok(sender.hasRoomAhead);
    sender.takeAhead(requestOf(UBLK_IO_OP_WRITE, last));
    assert.equal(sender.ended(0, BYTES), '');
    sender.submit(-1);
    assert.deepEqual(
      waitingSlots(),
      before.filter((slot) => slot !== last),
      'it alone is sent',
    );
    assert.equal(sender.ended(0, BYTES), '');
    sender.submit(-1);
    assert.equal(waitingSlots().length, before.length - 1 - (SLOTS - before.length), 'then the others are');
    ring.close();
  });
});

/** As a queue thread makes it (queue/build-thread.ts): two entries per slot. */
function senderOf(slots: number) {
  const ring = new Ring(2 * slots, 4 * slots);
  const none = new Int32Array(slots);
  const own = new OwnOperations(ring, { dataLo: none, dataHi: none, dataIndex: Int32Array.from(none.keys()) });
  const request = {
    ...requestOf(UBLK_IO_OP_WRITE, 0),
    slot: 0,
    load: (slot: number): void => {
      request.slot = slot;
    },
  };
  own.attach(request);
  const published = new ConnectionWriter(new Float64Array(BLOCK_BYTES / 8));
  const waiting = new Waiting(slots, false, unstoredOf(slots));
  return { sender: new Sender({ ring: own, waiting, published, slots, token: 0, partToken: 1 }), ring, waiting };
}
