/** Which bytes of a read have come, against a set of numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Coverage } from '../../../src/targets/nbd/transmission/coverage.ts';

const LENGTH = 12;

describe('the coverage of a read', () => {
  test('knows when bytes come again, and when all have come', () => {
    const range = fc.tuple(fc.nat(LENGTH - 1), fc.integer({ min: 1, max: LENGTH }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
        const coverage = new Coverage(2);
        const come = new Set<number>();
        for (const [begin, length] of ranges) {
          const end = Math.min(LENGTH, begin + length);
          const bytes = Array.from({ length: end - begin }, (_, index) => begin + index);
          const isNew = bytes.every((byte) => !come.has(byte));
          assert.equal(coverage.add(1, begin, end), isNew);
          if (!isNew) return;
          for (const byte of bytes) come.add(byte);
          assert.equal(coverage.isWhole(1, LENGTH), come.size === LENGTH);
        }
        assert.ok(!coverage.isWhole(0, LENGTH), 'the slots are apart');
        coverage.clear(1);
        assert.ok(!coverage.isWhole(1, LENGTH));
      }),
    );
  });

  for (const [slots, most] of [
    [2, 4096],
    [1024, 1024],
  ] as const) {
    test(`takes ${most} ranges with ${slots} slots, no more, and what fills the gaps`, () => {
      const coverage = new Coverage(slots);
      const other = slots - 1;
      assert.ok(coverage.add(other, 0, 5) && coverage.add(other, 7, 9));
      let ranges = 0;
      while (coverage.add(0, 2 * ranges, 2 * ranges + 1)) ranges++;
      assert.equal(ranges, most);
      for (let gap = 0; gap < ranges; gap++) assert.ok(coverage.add(0, 2 * gap + 1, 2 * gap + 2));
      assert.ok(coverage.isWhole(0, 2 * ranges));
      assert.ok(!coverage.add(other, 8, 9), 'the other slots keep what they had');
      assert.ok(coverage.add(other, 5, 7));
      assert.ok(coverage.isWhole(other, 9));
    });
  }
});
