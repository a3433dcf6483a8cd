import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bounded } from '../../src/control/waiting.ts';
import { UblkError } from '../../src/errors.ts';

const late = () => new UblkError('late', { code: 'TIMEOUT' });

test('a wait that is bounded by more than a timer counts is not over at once', async (t) => {
  const warned = t.mock.method(process, 'emitWarning', () => {});
  for (const timeoutMs of [2 ** 31, Number.MAX_SAFE_INTEGER, Infinity]) {
    assert.equal(await bounded(sleep(20, 'done'), { timeoutMs, late }), 'done');
  }
  assert.equal(warned.mock.callCount(), 0);
  await assert.rejects(bounded(sleep(200, 'done'), { timeoutMs: 1, late }), { code: 'TIMEOUT' });
});
