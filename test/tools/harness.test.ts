import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { matches } from '../../tools/harness/matches.ts';
import { OrderedOutput } from '../../tools/harness/ordered-output.ts';
import { pool } from '../../tools/harness/pool.ts';
import { closingText, sum } from '../../tools/harness/tally.ts';

describe('the output of jobs that run at the same time', () => {
  test('is in the order of the jobs, and the first is shown as it prints', () => {
    let shown = '';
    const output = new OrderedOutput((text) => (shown += text.toString()));
    const [first, second, third] = [output.job(), output.job(), output.job()];
    second.write('2a ');
    first.write('1a ');
    assert.equal(shown, '1a ');
    third.write('3a ');
    third.end();
    first.end();
    assert.equal(shown, '1a 2a ');
    second.write('2b ');
    second.end();
    assert.equal(shown, '1a 2a 2b 3a ');
  });
});

describe('a pool', () => {
  test('runs so many at a time and keeps the order of the results', async () => {
    let running = 0;
    let most = 0;
    const task = (result: number) => async (): Promise<number> => {
      running += 1;
      most = Math.max(most, running);
      for (let count = 0; count <= result; count++) await turn();
      running -= 1;
      return result;
    };
    assert.deepEqual(await pool([5, 0, 3, 1].map(task), 2), [5, 0, 3, 1]);
    assert.equal(most, 2);
  });
});

describe('the summary', () => {
  test('ends with one line that says it all', () => {
    const tally = sum([
      { passed: 2, failed: 1, skipped: 0 },
      { passed: 3, failed: 0, skipped: 4 },
    ]);
    const text = closingText(tally, 1500.4);
    assert.match(text, /^# tests 10$/m);
    assert.match(text, /^# fail 1$/m);
    assert.equal(text.trimEnd().split('\n').at(-1), '5 passed, 1 failed, 4 skipped');
  });
});

test('without patterns everything matches, with some what has one of them', () => {
  assert.ok(matches('test/sizes.test.ts', []));
  assert.ok(matches('test/sizes.test.ts', ['lab', 'size']));
  assert.ok(!matches('test/sizes.test.ts', ['lab']));
});
