import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { threadCpus } from '../../src/spec/threads.ts';

describe('the CPUs of a queue thread', () => {
  test("are its queue's when nothing is said", () => assert.deepEqual(threadCpus([0, 1], []), [0, 1]));
  test('are those of its queue that are allowed', () => assert.deepEqual(threadCpus([0, 1, 4], [1, 4, 5]), [1, 4]));
  test('are all that are allowed when its queue has none of them', () =>
    assert.deepEqual(threadCpus([0, 1], [4, 5]), [4, 5]));
  test('are all that are allowed when it has no queue of its own', () => assert.deepEqual(threadCpus([], [3]), [3]));
  test('are left alone when it has no queue of its own and nothing is said', () =>
    assert.deepEqual(threadCpus([], []), []));
});
