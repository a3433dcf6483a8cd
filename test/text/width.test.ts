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
    ['jamo that form no syllable', '\u1100\u1100', 4],
    ['Tangut', '\u{16fe0}\u{17000}', 4],
    ['halfwidth kana with its mark', 'ｶﾞ', 2],
    ['an emoji', '💾', 2],
    ['a family, which is one emoji', '👨‍👩‍👧', 2],
    ['a flag', '🇩🇪', 2],
    ['a keycap', '1️⃣', 2],
    ['frames, blocks and the ellipsis', '─█…→', 4],
    ['a zero-width space', 'a\u200bb', 2],
  ];
  for (const [what, text, columns] of texts) test(what, () => assert.equal(displayWidth(text), columns));

  test('are those that string-width, which Ink uses, counts: for every character, alone and in its neighbourhood', () => {
    for (const line of linesOfCharacters()) assert.equal(displayWidth(line), stringWidth(line), nameOf(line));
  });

  test('and for characters that form clusters with each other', () => {
    const character = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('a', 'e\u0301', '磁', '한', '💾', '👨‍👩‍👧', '1️⃣', '⌚', '❤️', '©', '×', '…', 'ｶﾞ', 'का', '─'),
      fc.constantFrom('\u1100', '\u1161', '\u11a8', '\ua960', '\ud7b0', '가', '\u200d', '\u0301', '\ufe0f'),
    );
    const property = fc.property(fc.array(character, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      assert.equal(displayWidth(text), stringWidth(text), nameOf(text));
    });
    // The seed is fixed: a run fails because of a change, and never by chance.
    fc.assert(property, { numRuns: 2000, seed: 1 });
  });
});

const CHARACTERS_PER_LINE = 128;

/** Every code point but the control characters, which a terminal is never sent, in lines of neighbours. */
function* linesOfCharacters(): Generator<string> {
  for (let from = 0; from <= 0x10ffff; from += CHARACTERS_PER_LINE) {
    const codePoints = Array.from({ length: CHARACTERS_PER_LINE }, (_, at) => from + at);
    const characters = codePoints.map((codePoint) => String.fromCodePoint(codePoint));
    yield characters.filter((character) => !/[\p{Control}\p{Surrogate}]/v.test(character)).join('');
  }
}

function nameOf(text: string): string {
  return Array.from(text, (character) => `U+${character.codePointAt(0)?.toString(16)}`).join(' ');
}
