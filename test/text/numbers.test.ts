import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytes, clockSpan, count, duration, megabytes, milliseconds, percent } from '../../src/text/numbers.ts';

describe('numbers', () => {
  test('have three digits that matter and a unit', () => {
    assert.deepEqual([0, 7.5, 950, 999.9, 12_345, 1_200_000].map(count), [
      '0',
      '7.5',
      '950',
      '1.00k',
      '12.3k',
      '1.20M',
    ]);
    assert.deepEqual([500, 48_200_000, 1_000_000_000].map(bytes), ['500 B', '48.2 MB', '1.00 GB']);
    assert.deepEqual([0, 100, 52_400_000, 4.2e9].map(megabytes), ['0', '<0.01', '52.4', '4.20k']);
    assert.deepEqual([null, 0.114, 12.34, 250].map(milliseconds), ['-', '0.11', '12.3', '250']);
    assert.deepEqual(
      [7.25, 96, 1500, 2_500_000].map((us) => duration(us, 'µ')),
      ['7.3 µs', '96 µs', '1.50 ms', '2.50 s'],
    );
    assert.deepEqual([5000, 90_000, 3_700_000, 300_000_000].map(clockSpan), ['5 s', '1:30', '1:01:40', '3 d 11 h']);
  });

  test('all of it is 100% and nothing is 0%, and nothing else is', () => {
    assert.deepEqual([null, 0, 0.0001, 0.5, 0.9999, 1].map(percent), ['-', '0%', '<1%', '50%', '99%', '100%']);
  });
});
