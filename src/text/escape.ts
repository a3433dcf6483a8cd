/**
 * Text from outside this program, made harmless for a terminal and kept on one line. A file may have any name: one with
 * an escape sequence could rewrite the screen, one with a line break could forge a line of output.
 */

/** Control characters, line separators, and the marks that reverse the direction of the text behind them. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Writes each control character as C does: `\n`, `\x1b`, `\u202e`. All other characters stay. */
export function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, (character) => SHORT[character] ?? escapeOf(character.charCodeAt(0)));
}

function escapeOf(code: number): string {
  const digits = code.toString(16);
  return code <= 0xff ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
}
