import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { cutEnd, cutStart, padTo } from '../../src/text/fit.ts';
import { displayWidth } from '../../src/text/width.ts';

describe('cutting', () => {
  test('leaves what fits alone', () => {
    assert.equal(cutEnd('磁盘', 4), '磁盘');
    assert.equal(cutStart('磁盘', 4), '磁盘');
  });

  test('keeps the start or the end, with an ellipsis for the rest', () => {
    assert.equal(cutEnd('/srv/disk.img', 8), '/srv/di…');
    assert.equal(cutStart('/srv/disk.img', 8), '…isk.img');
    assert.equal(cutStart('/srv/disk.img', 8, '...'), '...k.img');
  });

  test('never splits a character that takes two columns, nor one of several code points', () => {
    assert.equal(cutEnd('磁盘磁盘', 4), '磁…');
    assert.equal(cutStart('xe\u0301y', 2), '…y');
    assert.equal(cutStart('xxe\u0301y', 3), '…e\u0301y');
    assert.equal(cutEnd('👨‍👩‍👧👨‍👩‍👧', 3), '👨‍👩‍👧…');
  });

  test('never gives more columns than it was asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 12 }), (text, width) => {
        assert.ok(displayWidth(cutEnd(text, width)) <= width);
        assert.ok(displayWidth(cutStart(text, width)) <= width);
      }),
    );
  });
});

test('padding counts columns and not characters', () => {
  assert.equal(padTo('磁', 4), '磁  ');
  assert.equal(padTo('e\u0301', 3, 'right'), '  e\u0301');
  assert.equal(padTo('long', 2), 'long');
});
