import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perGuest } from '../../../tools/test/guests.ts';

test('short files share a guest, the others have one each, and none is left out', () => {
  const files = ['bench', 'chaos', 'cpus', 'nbd', 'nbd-child', 'nbd-tls'].map((name) => `test/kernel/${name}.test.ts`);
  const guests = perGuest(files).map((guest) =>
    guest.map((file) => file.slice('test/kernel/'.length, -'.test.ts'.length)),
  );
  assert.deepEqual(guests, [['bench', 'cpus'], ['chaos'], ['nbd'], ['nbd-child', 'nbd-tls']]);
});
