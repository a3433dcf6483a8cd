import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathered } from '../../../src/targets/nbd/transmission/gathered.ts';

test('reads are kept back as long as there are few bytes of them', () => {
  const gathered = new Gathered(64);
  for (let slot = 0; slot < 32; slot++) assert.ok(gathered.add(slot, 4096));
  assert.ok(!gathered.isDue());
  assert.equal(gathered.count, 32);
  assert.ok(!gathered.add(32, 512), 'there would be more than 128 KiB');
  assert.ok(gathered.isDue());
  assert.deepEqual([gathered.slotAt(0), gathered.slotAt(31)], [0, 31]);
  gathered.clear();
  assert.ok(!gathered.add(0, 256 << 10));
  gathered.clear();
  assert.ok(gathered.add(1, 128 << 10));
});

test('and none for longer than 64 receives', () => {
  const gathered = new Gathered(64);
  assert.ok(gathered.add(0, 512));
  for (let receive = 0; receive < 64; receive++) assert.ok(!gathered.isDue());
  assert.ok(gathered.isDue());
  gathered.clear();
  assert.ok(!gathered.isDue());
});
