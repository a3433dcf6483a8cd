import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTestFiles } from '../../../tools/test/files.ts';
import { perGuest } from '../../../tools/test/guests.ts';

test('short files share a guest, the others have one each, and none is left out', () => {
  const files = ['bench', 'chaos', 'cpus', 'nbd', 'nbd-child', 'nbd-tls'].map((name) => `test/kernel/${name}.test.ts`);
  const guests = perGuest(files).map((guest) =>
    guest.files.map((file) => file.slice('test/kernel/'.length, -'.test.ts'.length)),
  );
  assert.deepEqual(guests, [['bench', 'cpus'], ['chaos'], ['nbd'], ['nbd-child', 'nbd-tls']]);
});

test('the tests of Ceph run in the lab, in a guest that has it, and no other guest has more than the ordinary one', () => {
  const guests = perGuest(findTestFiles([]).kernel);
  const equipped = guests.filter(({ packages, memory }) => packages !== undefined || memory !== undefined);
  assert.deepEqual(
    equipped.map(({ files }) => files),
    [['test/ceph/ceph.test.ts']],
  );
  assert.ok(equipped[0]?.packages?.includes('ceph-osd'));
});
