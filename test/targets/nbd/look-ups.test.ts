/** Asking for the addresses of hosts while name servers answer, and while they do not. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, mock, test } from 'node:test';
import { LookUps } from '../../../src/targets/nbd/connection/look-ups.ts';

const never = new Promise<string[]>(() => {});

describe('the addresses of a host', () => {
  test('are given up within the limit when no name server answers', async () => {
    await assert.rejects(new LookUps(() => never).find('disk.example', 50), {
      code: 'ETIMEDOUT',
      message: 'the address of disk.example is not found within 0.05 s',
    });
  });

  test('are asked for once at a time, by whoever asks, and anew afterwards', async () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    const lookUp = mock.fn((_host: string) => promise);
    const lookUps = new LookUps(lookUp);
    await assert.rejects(lookUps.find('a', 10), { code: 'ETIMEDOUT' });
    const [first, second] = [lookUps.find('a', 1000), lookUps.find('a', 1000)];
    assert.equal(lookUp.mock.callCount(), 1);
    resolve(['1']);
    assert.deepEqual(await Promise.all([first, second]), [['1'], ['1']]);
    await sleep(0);
    assert.deepEqual(await lookUps.find('a', 1000), ['1']);
    assert.equal(lookUp.mock.callCount(), 2);
  });

  test('are those of before while nobody answers, and not when the answer is that there is none', async () => {
    const answers = [Promise.resolve(['1']), never];
    const lookUps = new LookUps(() => answers.shift() ?? never);
    assert.deepEqual(await lookUps.find('a', 50), ['1']);
    assert.deepEqual(await lookUps.find('a', 50), ['1']);
    for (const [code, expected] of [
      ['EAI_AGAIN', ['1']],
      ['ENOTFOUND', null],
    ] as const) {
      const failing = [Promise.resolve(['1']), Promise.reject(Object.assign(new Error(code), { code }))];
      failing[1]!.catch(() => {});
      const other = new LookUps(() => failing.shift()!);
      await other.find('b', 50);
      if (expected === null) await assert.rejects(other.find('b', 50), { code });
      else assert.deepEqual(await other.find('b', 50), expected);
    }
  });
});
