import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { histogramLines } from '../../src/monitor/lines/latency.ts';
import { ASCII } from '../../src/monitor/drawing/glyphs.ts';

/** Rows as text, blanks squeezed. */
function rows(counts: Readonly<Record<number, number>>, height: number): string[] {
  const buckets = Array.from({ length: 40 }, (_, bucket) => counts[bucket] ?? 0);
  return histogramLines({ buckets, sumUs: 0 }, 40, height, ASCII).map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .replaceAll(/[#\s|]+/g, ' ')
      .trim(),
  );
}

describe('a histogram in rows', () => {
  test('has a row for each power of two from the shortest time to the longest', () =>
    assert.deepEqual(rows({ 3: 1, 5: 3 }, 10), ['4 - 8 us 25%', '8 - 16 us', '16 - 32 us 75%']));

  test('has what is done at once first, without the empty rows behind it', () =>
    assert.deepEqual(rows({ 0: 1, 8: 1 }, 10), ['at once 50%', '128 - 256 us 50%']));

  test('never leaves out the slowest: with few rows each has several powers', () => {
    const counts = { 0: 10, 8: 20, 9: 20, 10: 20, 11: 20, 15: 10 };
    assert.deepEqual(rows(counts, 5), [
      'at once 10%',
      '128 - 512 us 40%',
      '0.5 - 2 ms 40%',
      '2 - 8 ms',
      '8 - 32 ms 10%',
    ]);
    assert.deepEqual(rows(counts, 2), ['at once 10%', '0.1 - 32 ms 90%']);
  });

  test('is nothing when nothing was counted', () => assert.deepEqual(rows({}, 5), []));
});
