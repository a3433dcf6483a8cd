/** Requests that matched a buffer before the queue thread knows it: how long they are held. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ring } from '../../src/native/ring/ring.ts';
import { type MatchedRequest, ShmemOverlay } from '../../src/queue/data-path/shmem.ts';
import { ShmemTable } from '../../src/queue/shmem-table.ts';
import { Slots } from '../../src/queue/slots.ts';
import { BLOCK_BYTES, BUFFER_SLOTS } from '../../src/stats/layout.ts';
import { StatsWriter } from '../../src/stats/writer.ts';

const BUFFER = { address: 0x7f00_0000_0000n, length: 1 << 20, readOnly: false };

test('a deadline fails only what is held since the one before, however many buffers have come meanwhile', () => {
  const { overlay, table, arrive, deadlines } = made();
  assert.equal(arrive(0, 7), false);
  table.publish(7, BUFFER, 1);
  assert.deepEqual(overlay.takeKnown(), [0]);
  assert.equal(arrive(0, 7), true);

  assert.equal(arrive(1, 8), false);
  assert.deepEqual(overlay.takeOverdue(), [], 'the deadline was that of slot 0, and slot 1 has just come');
  assert.equal(arrive(2, 9), false);
  table.publish(9, BUFFER, 2);
  assert.deepEqual(overlay.takeKnown(), [2], 'slot 1 is not tried again, and its time goes on');
  assert.deepEqual(overlay.takeOverdue(), [1]);
  assert.equal(deadlines(), 2, 'one at a time, and none while nothing is held');
});

function made() {
  let deadlines = 0;
  const sq = { begin: () => deadlines++, entry: {} };
  const ring = { sq, reserve: () => {} } as unknown as Ring;
  const table = new ShmemTable(new SharedArrayBuffer(ShmemTable.BYTES));
  const overlay = new ShmemOverlay(table, ring, new Slots(4), BUFFER_SLOTS);
  const stats = new StatsWriter(new ArrayBuffer(BLOCK_BYTES), 0, BLOCK_BYTES);
  const arrive = (place: number, matchedIndex: number): boolean =>
    overlay.arrive({ place, matchedIndex, matchedOffset: 0, bytes: 4096 } as MatchedRequest, stats);
  return { overlay, table, arrive, deadlines: () => deadlines };
}
