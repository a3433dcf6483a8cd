/** What is told of a value that a target has thrown. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeThrown } from '../../src/targets/load/thrown.ts';

const MEGABYTES = 'm'.repeat(5_000_000);

describe('what a target has thrown', () => {
  test('is told with its beginning where it has megabytes', () => {
    for (const thrown of [new Error(MEGABYTES), MEGABYTES, { text: MEGABYTES }]) {
      const told = describeThrown(thrown, '/srv/ram.ts');
      assert.ok(told.length < 3000, `${told.length} characters`);
      assert.match(told, /mmm\.\.\.( \(|$)/);
    }
  });

  test('is told whole where it is short', () => {
    assert.equal(describeThrown('no room', '/srv/ram.ts'), 'it threw no room');
    assert.match(describeThrown(new TypeError('no\nroom'), '/srv/ram.ts'), /^TypeError: no room/);
  });

  test('is told in one line, whatever it is', () => {
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    for (const thrown of ['no\n  room', numbers, { numbers }, new Error('a\n\nb'), new Map([[1, numbers]])]) {
      const told = describeThrown(thrown, '/srv/ram.ts');
      assert.doesNotMatch(told, /\n/);
    }
    assert.equal(describeThrown('no\n  room', '/srv/ram.ts'), 'it threw no room');
  });
});
