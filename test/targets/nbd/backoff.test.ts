import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../../src/targets/nbd/backoff.ts';

test('the first attempt is made at once, and the pauses before the others grow up to five seconds', () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(pauses, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  backoff.reset();
  assert.deepEqual([backoff.next(), backoff.next()], [0, 100]);
});
