/**
 * How many columns a text takes on a terminal. CJK and emoji take two columns, combining marks none. Ink lays out its
 * lines with the package string-width, and test/text/width.test.ts compares the two. string-width itself is not used
 * here: it makes a segmenter when it is imported, which takes 9 ms, and most texts need none.
 */
import { eastAsianWidth } from 'get-east-asian-width';

/** Characters that stand alone, one column each: Latin letters, punctuation, arrows, frames, blocks and braille. */
const ONE_COLUMN_EACH =
  /^[\u0020-\u007e\u00a1-\u00a8\u00aa-\u00ac\u00af-\u02ff\u2010-\u2027\u2030-\u203b\u2190-\u2193\u2500-\u259f\u2800-\u28ff]*$/;

/**
 * The classes of Unicode. They are functions, and not literals, because V8 looks a class up when it reads a literal, even
 * in a function that is never called: that takes as long as Node itself needs to start, and most texts need none.
 */
const visible = (): RegExp =>
  new RegExp(
    String.raw`[^\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Surrogate}]`,
    'v',
  );
const emoji = (): RegExp => new RegExp(String.raw`^\p{RGI_Emoji}$`, 'v');
const KEYCAP = /^[\d#*]\u20e3$/;
const joinedPictures = (): RegExp =>
  new RegExp(String.raw`\p{Extended_Pictographic}.*\u200d.*\p{Extended_Pictographic}`, 'v');
/** Characters that take columns of their own behind another one: marks beside a letter, and halfwidth kana marks. */
const takesRoomBehind = (): RegExp => new RegExp(String.raw`[\p{Spacing_Mark}\uff00-\uffef]`, 'v');
/** The letters of Hangul: leading consonants, vowels and trailing consonants. */
const JAMO = /^[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/;
/** Letters that a terminal draws as one syllable of two columns. Other letters stand side by side. */
const SYLLABLE = /[\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?/g;
const ONE_SYLLABLE = '\uac00';

/** Columns of a text that has no escape sequences in it; see escapeControls(). */
export function displayWidth(text: string): number {
  if (ONE_COLUMN_EACH.test(text)) return text.length;
  return clustersOf(text).reduce((sum, cluster) => sum + clusterWidth(cluster), 0);
}

/** The characters as a reader sees them: a letter with its accents, or a whole family emoji, is one. */
export function clustersOf(text: string): string[] {
  if (ONE_COLUMN_EACH.test(text)) return Array.from(text);
  // The segmenter is made per call and not kept: modules here have no state, and the second one costs 20 us.
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

function clusterWidth(cluster: string): number {
  const isVisible = visible();
  const shown = Array.from(cluster).filter((character) => isVisible.test(character));
  const [first, ...others] = shown;
  if (first === undefined) return 0;
  if (emoji().test(cluster) || KEYCAP.test(cluster) || joinedPictures().test(cluster)) return 2;
  if (JAMO.test(first)) return Array.from(shown.join('').replace(SYLLABLE, ONE_SYLLABLE)).reduce(addColumns, 0);
  const behind = others.length === 0 ? undefined : takesRoomBehind();
  return others.filter((character) => behind?.test(character)).reduce(addColumns, columnsOf(first));
}

function addColumns(sum: number, character: string): number {
  return sum + columnsOf(character);
}

function columnsOf(character: string): number {
  return eastAsianWidth(character.codePointAt(0) ?? 0);
}
