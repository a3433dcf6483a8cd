import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Ranges } from '../../src/server/shared/ranges.ts';

describe('ranges', () => {
  test('are given out from the lowest number on', () => {
    const ranges = new Ranges(10);
    assert.deepEqual(
      [ranges.take(4), ranges.take(4), ranges.take(4), ranges.take(2), ranges.take(1)],
      [0, 4, null, 8, null],
    );
    ranges.give(0, 4);
    ranges.give(8, 2);
    assert.deepEqual([ranges.take(2), ranges.take(1), ranges.take(2), ranges.left], [0, 2, 8, 1]);
  });

  test('never overlap, and are one again when all have come back', () => {
    const steps = fc.array(fc.record({ take: fc.integer({ min: 1, max: 9 }), give: fc.nat() }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const size = 40;
        const ranges = new Ranges(size);
        const taken: { first: number; count: number }[] = [];
        for (const { take, give } of all) {
          const first = ranges.take(take);
          if (first !== null) taken.push({ first, count: take });
          const numbers = taken.flatMap((one) => Array.from({ length: one.count }, (_, i) => one.first + i));
          assert.equal(new Set(numbers).size, numbers.length);
          assert.ok(numbers.every((number) => number >= 0 && number < size));
          assert.equal(ranges.left, size - numbers.length);
          const [back] = give % 3 > 0 ? taken.splice(give % Math.max(1, taken.length), 1) : [];
          if (back !== undefined) ranges.give(back.first, back.count);
        }
        for (const { first, count } of taken) ranges.give(first, count);
        assert.equal(ranges.take(size), 0);
      }),
    );
  });
});
