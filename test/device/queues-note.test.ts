import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queuesNote } from '../../src/device/add/queues-note.ts';

test('add says that a device has fewer queues than were asked for, unless nobody asked', () => {
  assert.deepEqual(queuesNote(4, 2), [
    'the device has 2 queues, not 4: a device has no more queues than the machine has CPUs',
  ]);
  assert.match(queuesNote(3, 1)[0] ?? '', /has 1 queue, not 3/);
  assert.deepEqual([queuesNote(4, 4), queuesNote(2, 1)], [[], []]);
});
