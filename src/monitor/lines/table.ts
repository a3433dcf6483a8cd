/** A table as lines of pieces: a heading and rows, one of them selected. Pure. */
import type { Glyphs } from '../drawing/glyphs.ts';
import { type Piece, piece } from '../drawing/pieces.ts';

export interface Table {
  readonly heading: readonly Piece[];
  readonly rows: readonly (readonly Piece[])[];
  /** The selected row; -1 when there is none. */
  readonly pointed: number;
}

/** The rows that fit into `height`, the selected one among them, and how many are hidden. */
export function windowOf({ rows, pointed }: Table, height: number): readonly (readonly Piece[])[] {
  if (rows.length <= height) return rows;
  const shown = Math.max(1, height - 1);
  const from = Math.max(0, Math.min(pointed - Math.floor(shown / 2), rows.length - shown));
  const below = rows.length - from - shown;
  const hidden = [from > 0 ? `${from} above` : '', below > 0 ? `${below} below` : ''].filter((text) => text !== '');
  return [...rows.slice(from, from + shown), [piece(`  and ${hidden.join(', ')}`, 'quiet')]];
}

/** Stands before each row, and marks the selected one. */
export function pointer(shown: boolean, glyphs: Glyphs): Piece {
  return shown ? piece(`${glyphs.pointer} `, 'accent', true) : piece('  ');
}
