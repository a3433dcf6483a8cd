import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exclusively } from '../../src/device/recover/device-lock.ts';

const ID = 900_000 + process.pid;

describe('one at a time', () => {
  test('the second is refused while the first is at it, and let in afterwards', async () => {
    const first = exclusively(ID, 'test', () => sleep(50, 'done'));
    await sleep(10);
    await assert.rejects(
      exclusively(ID, 'test', () => Promise.resolve()),
      { code: 'EBUSY', kind: 'busy', device: ID },
    );
    assert.equal(await exclusively(ID + 1, 'test', () => Promise.resolve('another device')), 'another device');
    assert.equal(await first, 'done');
    assert.equal(await exclusively(ID, 'test', () => Promise.resolve('again')), 'again');
  });

  test('a failure lets go', async () => {
    await assert.rejects(
      exclusively(ID, 'test', () => Promise.reject(new Error('no'))),
      /no/,
    );
    await exclusively(ID, 'test', () => Promise.resolve());
  });
});
