/**
 * A line of the screen as pieces: text with a meaning. panels/line.tsx gives the meanings their colours. Widths are
 * columns of the terminal. Text from outside may hold control characters; a piece shows them escaped.
 */
import { escapeControls } from '../../text/escape.ts';
import { cutEnd, cutStart } from '../../text/fit.ts';
import { clustersOf, displayWidth } from '../../text/width.ts';
import type { DataWay } from '../../watch/model/picture.ts';
import type { Severity } from '../../watch/model/states.ts';

/** The meaning of a piece, from which its colour follows. */
export type Ink = Severity | DataWay | 'accent' | 'quiet';

export interface Piece {
  readonly text: string;
  readonly ink?: Ink | undefined;
  readonly bold?: boolean | undefined;
}

export function piece(text: string, ink?: Ink, bold?: boolean): Piece {
  return { text: escapeControls(text), ink, bold };
}

/** Text in at most `width` columns. What is too long loses its start, as the end says more in a path. */
export function keepEnd(text: string, width: number, ellipsis: string): string {
  return cutStart(escapeControls(text), width, ellipsis);
}

export function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { text }) => sum + displayWidth(text), 0);
}

/** Pieces of exactly `width` columns: blanks are added on the side that `align` leaves, or the end is cut off. */
export function fit(pieces: readonly Piece[], width: number, align: 'left' | 'right' = 'left'): Piece[] {
  const missing = width - widthOf(pieces);
  if (missing === 0) return [...pieces];
  if (missing < 0) return width <= 0 ? [] : fit(cut(pieces, width), width, align);
  const blanks = piece(' '.repeat(missing));
  return align === 'left' ? [...pieces, blanks] : [blanks, ...pieces];
}

/** At most `width` columns: one less when a character of two columns stands at the edge. */
function cut(pieces: readonly Piece[], width: number): Piece[] {
  const kept: Piece[] = [];
  let room = width;
  for (const one of pieces) {
    if (room <= 0) break;
    const text = cutEnd(one.text, room, '');
    kept.push({ ...one, text });
    if (text !== one.text) break;
    room -= displayWidth(text);
  }
  return kept;
}

/** At most `width` columns; an ellipsis stands for what was cut off. */
export function clip(pieces: readonly Piece[], width: number, ellipsis: string): readonly Piece[] {
  if (widthOf(pieces) <= width) return pieces;
  return [...cut(pieces, width - displayWidth(ellipsis)), piece(ellipsis, 'quiet')];
}

/** Puts `left` and `right` at the two ends of a line; `right` is dropped when there is no room for both. */
export function spread(left: readonly Piece[], right: readonly Piece[], width: number): Piece[] {
  const room = width - widthOf(right);
  return widthOf(left) < room ? [...fit(left, room), ...right] : fit(left, width);
}

/** The first variant that fits, or the last one. The variants go from the longest to the shortest. */
export function firstFitting(variants: readonly (readonly Piece[])[], width: number): readonly Piece[] {
  return variants.find((pieces) => widthOf(pieces) <= width) ?? variants.at(-1) ?? [];
}

/** Text in lines of at most `width` columns, broken between words; a word that is longer than a line is broken too. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of escapeControls(text)
    .split(' ')
    .flatMap((one) => broken(one, width))) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The word in parts that fit into a line, nearly always one. */
function broken(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  for (const cluster of clustersOf(word)) {
    if (part !== '' && displayWidth(part) + displayWidth(cluster) > width) {
      parts.push(part);
      part = '';
    }
    part += cluster;
  }
  return [...parts, part];
}
