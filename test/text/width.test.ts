import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { displayWidth } from '../../src/text/width.ts';

describe('the columns that a text takes on a terminal', () => {
  const texts: [what: string, text: string, columns: number][] = [
    ['nothing', '', 0],
    ['ASCII', '/srv/disk.img', 13],
    ['an accented letter', 'é', 1],
    ['the same letter with a combining accent', 'e\u0301', 1],
    ['CJK', '磁盘.img', 8],
    ['Hangul', '한글', 4],
    ['Hangul that is composed of jamo', '\u1112\u1161\u11ab', 2],
    ['halfwidth kana with its mark', 'ｶﾞ', 2],
    ['an emoji', '💾', 2],
    ['a family, which is one emoji', '👨‍👩‍👧', 2],
    ['a flag', '🇩🇪', 2],
    ['a keycap', '1️⃣', 2],
    ['frames, blocks and the ellipsis', '─█…→', 4],
    ['a zero-width space', 'a\u200bb', 2],
  ];
  for (const [what, text, columns] of texts) test(what, () => assert.equal(displayWidth(text), columns));

  test('are those that string-width, which Ink uses, counts', () => {
    const character = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('a', 'e\u0301', '磁', '한', '💾', '👨‍👩‍👧', '1️⃣', '⌚', '❤️', '©', '×', '…', 'ｶﾞ', 'का', '─'),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        assert.equal(displayWidth(text), stringWidth(text), JSON.stringify(text));
      }),
      { numRuns: 500 },
    );
  });
});
