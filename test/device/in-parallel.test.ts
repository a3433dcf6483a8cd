import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from '../../src/device/in-parallel.ts';

test('each is done once, in order, and so many at a time', async () => {
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  await inParallel([...Array(20).keys()], 4, async (item) => {
    begun.push(item);
    most = Math.max(most, ++now);
    await sleep(item % 3);
    now--;
  });
  assert.deepEqual(begun, [...Array(20).keys()]);
  assert.equal(most, 4);
  await inParallel([], 4, () => Promise.reject(new Error('nobody calls this')));
});

test('a failure ends it when those under way are done', async () => {
  const done: number[] = [];
  const work = inParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
    if (item === 1) throw new Error('no');
    await sleep(5);
    done.push(item);
  });
  await assert.rejects(work, /^Error: no$/);
  assert.deepEqual(done, [0]);
});
