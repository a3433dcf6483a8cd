/** The words of a command line as one text, quoted as a shell reads it, and back. */

/** `nbdkit file '/srv/my disk'`. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The words of a text with single quotes, double quotes and backslashes. Nothing is expanded: no variables, no patterns.
 * Returns null for a text with a quote that is not closed.
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== '') {
    const [word] = WORD.exec(rest) ?? [];
    if (word === undefined) return null;
    words.push(word.replaceAll(PIECE, (piece) => plain(piece)));
    rest = rest.slice(word.length);
    if (rest !== rest.trimStart() || rest === '') rest = rest.trimStart();
    else return null;
  }
  return words;
}

const PIECE = /'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\]+/gs;
const WORD = new RegExp(`^(?:${PIECE.source})+`, 's');

function plain(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, '$1');
  return piece.startsWith('\\') ? piece.slice(1) : piece;
}
