/** A line of the screen as pieces of text with a meaning; panels/line.tsx gives the meanings colours. */
import type { DataWay } from '../../watch/model/picture.ts';
import type { Tone } from '../../watch/model/states.ts';

export type Ink = Tone | DataWay | 'accent' | 'quiet';

export interface Piece {
  readonly text: string;
  readonly ink?: Ink | undefined;
  readonly bold?: boolean | undefined;
}

export function piece(text: string, ink?: Ink, bold?: boolean): Piece {
  return { text, ink, bold };
}

export function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0);
}

/** Exactly `width` characters: blanks added on the other side, or the end cut off. */
export function fit(pieces: readonly Piece[], width: number, align: 'left' | 'right' = 'left'): Piece[] {
  const missing = width - widthOf(pieces);
  if (missing === 0) return [...pieces];
  if (missing > 0) {
    const blanks = piece(' '.repeat(missing));
    return align === 'left' ? [...pieces, blanks] : [blanks, ...pieces];
  }
  return cut(pieces, width);
}

function cut(pieces: readonly Piece[], width: number): Piece[] {
  const kept: Piece[] = [];
  let room = width;
  for (const one of pieces) {
    if (room <= 0) break;
    kept.push({ ...one, text: one.text.slice(0, room) });
    room -= one.text.length;
  }
  return kept;
}

/** No wider than `width`; what is cut off leaves an ellipsis. */
export function clip(pieces: readonly Piece[], width: number, ellipsis: string): readonly Piece[] {
  if (widthOf(pieces) <= width) return pieces;
  return [...cut(pieces, width - ellipsis.length), piece(ellipsis, 'quiet')];
}

/** Left and right, with the blanks between; the right is dropped when there is no room for both. */
export function spread(left: readonly Piece[], right: readonly Piece[], width: number): Piece[] {
  const room = width - widthOf(right);
  return widthOf(left) < room ? [...fit(left, room), ...right] : fit(left, width);
}

/** The first that fits; the last when none does. They go from the most to the least that could be said. */
export function firstFitting(variants: readonly (readonly Piece[])[], width: number): readonly Piece[] {
  return variants.find((pieces) => widthOf(pieces) <= width) ?? variants.at(-1) ?? [];
}

/** Lines of at most `width`, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
