import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tidied } from '../../tools/guest/tidied.ts';

test('what work said comes before what could not be put away', async () => {
  await assert.rejects(
    tidied(
      () => Promise.reject(new Error('add failed')),
      () => Promise.reject(new Error('target is busy')),
    ),
    /^Error: add failed\nand then: target is busy$/,
  );
});

test('it is tidied once, after work, whatever became of it', async () => {
  const order: string[] = [];
  const tidy = () => void order.push('tidy');
  assert.equal(await tidied(async () => order.push('work'), tidy), 1);
  await assert.rejects(
    tidied(() => Promise.reject(new Error('no')), tidy),
    /^Error: no$/,
  );
  assert.deepEqual(order, ['work', 'tidy', 'tidy']);
});

test('what cannot be put away after good work is an error', () =>
  assert.rejects(
    tidied(
      async () => 1,
      () => Promise.reject(new Error('busy')),
    ),
    /^Error: busy$/,
  ));
