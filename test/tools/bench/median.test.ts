import assert from 'node:assert/strict';
import test from 'node:test';
import { median } from '../../../tools/bench/median.ts';

test('the median of an odd and an even number, and of none', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([3, 1, 200]), 3);
  assert.equal(median([1, 2, 3, 200]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
