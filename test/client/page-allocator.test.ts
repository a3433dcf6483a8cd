import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PageAllocator } from '../../src/client/page-allocator.ts';

const PAGE = 4096;
const PAGES = 16;

test('buffers begin at pages, do not overlap, and all come back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 5 * PAGE }))), (steps) => {
      const allocator = new PageAllocator(PAGES * PAGE, PAGE);
      const taken = new Map<number, number>();
      for (const [take, size] of steps) {
        if (take) {
          const at = allocator.take(size);
          if (at < 0) continue;
          assert.equal(at % PAGE, 0);
          const pages = Math.max(1, Math.ceil(size / PAGE));
          assert.ok(at + pages * PAGE <= PAGES * PAGE);
          for (const [other, length] of taken) assert.ok(at >= other + length || at + pages * PAGE <= other);
          taken.set(at, pages * PAGE);
        } else {
          const [at] = [...taken.keys()].slice(size % Math.max(taken.size, 1));
          if (at === undefined) continue;
          assert.equal(allocator.give(at), true);
          assert.equal(allocator.give(at), false, 'only once');
          taken.delete(at);
        }
      }
      for (const at of taken.keys()) allocator.give(at);
      assert.equal(allocator.take(PAGES * PAGE), 0, 'the whole is whole again');
    }),
  );
});

test('what does not fit is refused, and what never was handed out is not taken back', () => {
  const allocator = new PageAllocator(2 * PAGE, PAGE);
  assert.equal(allocator.take(3 * PAGE), -1);
  assert.equal(allocator.give(0), false);
  assert.equal(allocator.take(1), 0);
  assert.equal(allocator.take(1), PAGE);
  assert.equal(allocator.take(1), -1);
});
