import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, readGroups } from '../../../tools/selftests/groups.ts';

test('a selftest is in one group', () => {
  assert.deepEqual(['null_01', 'loop_02', 'recover_02', 'stress_02'].map(groupOf), [
    'ordinary',
    'ordinary',
    'long',
    'stress',
  ]);
});

test('the names of groups are read in any order, and one that is not there is named', () => {
  assert.deepEqual(readGroups('stress,ordinary'), ['ordinary', 'stress']);
  assert.throws(() => readGroups('ordinary,short'), /there is no group short: ordinary, long, stress/);
});
