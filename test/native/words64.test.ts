/** 64-bit sums over pairs of 32-bit words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { sumHi, sumLo, wordsOf } from '../../src/native/words64.ts';

test('a sum of words is the sum of the numbers, carry included', () => {
  const value = fc.bigInt({ min: 0n, max: (1n << 62n) - 1n });
  const more = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(value, more, (before, added) => {
      const [lo, hi] = wordsOf(before);
      assert.deepEqual([sumLo(lo, added), sumHi(lo, hi, added)], wordsOf(before + BigInt(added)));
    }),
  );
});

test('the low word overflows into the high word at 2^32 exactly', () => {
  const [lo, hi] = wordsOf(0x1_ffff_ffffn);
  assert.equal(sumHi(lo, hi, 0), 1);
  assert.equal(sumHi(lo, hi, 1), 2);
  assert.equal(sumLo(lo, 1), 0);
});
