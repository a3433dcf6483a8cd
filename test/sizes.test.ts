import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatSize, parseSize } from '../src/sizes.ts';
import { UblkError } from '../src/errors.ts';

describe('parseSize', () => {
  const sizes: [string, number][] = [
    ['512', 512],
    ['0', 0],
    ['4k', 4096],
    ['4K', 4096],
    ['64KiB', 65_536],
    ['64kib', 65_536],
    ['1KB', 1000],
    ['1G', 2 ** 30],
    ['1GB', 10 ** 9],
    ['1.5T', 1.5 * 2 ** 40],
    ['0.5K', 512],
    ['12B', 12],
    [' 1 M ', 2 ** 20],
  ];
  for (const [text, bytes] of sizes) {
    test(`reads ${JSON.stringify(text)} as ${bytes}`, () => assert.equal(parseSize(text), bytes));
  }

  const nonsense = ['', 'k', '-1', '+1', '1.', '.5K', '1,5G', '1x', '1GG', '0x10', '1e3', 'NaN', '1 000', '4k8'];
  for (const text of nonsense) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseSize(text), isUsage));
  }

  test('refuses a fraction of a byte', () => {
    assert.throws(() => parseSize('1.1K'), /whole number of bytes/);
    assert.throws(() => parseSize('0.5'), /whole number of bytes/);
  });

  test('refuses what a double cannot hold', () => assert.throws(() => parseSize('8P'), /too large/));

  test('refuses what is not a multiple, and says which are near', () => {
    assert.equal(parseSize('4k', { multipleOf: 512 }), 4096);
    assert.throws(() => parseSize('1000', { multipleOf: 512 }), { hint: 'the nearest are 512 and 1024' });
  });
});

describe('formatSize', () => {
  const sizes: [number, string][] = [
    [0, '0'],
    [640, '640'],
    [1024, '1K'],
    [1536, '1.5K'],
    [250 * 2 ** 30, '250G'],
    [1.5 * 2 ** 40, '1.5T'],
    [2 ** 20 - 1, '1M'],
    [2 ** 40 - 2 ** 20, '1T'],
  ];
  for (const [bytes, text] of sizes) test(`writes ${bytes} as ${text}`, () => assert.equal(formatSize(bytes), text));

  test('what it writes is read back within a twentieth of the unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
        const text = formatSize(bytes);
        const unit = /[A-Z]/.exec(text)?.[0] ?? '';
        const scale = unit === '' ? 1 : parseSize(`1${unit}`);
        assert.ok(Math.abs(Number.parseFloat(text) * scale - bytes) <= scale / 20 + 1e-3 * scale);
      }),
    );
  });
});

function isUsage(error: unknown): boolean {
  return error instanceof UblkError && error.kind === 'usage' && error.hint !== undefined;
}
