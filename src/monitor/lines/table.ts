/** A table as lines of pieces: a heading and rows, one of them selected. Pure. */
import type { Glyphs } from '../drawing/glyphs.ts';
import { type Piece, piece } from '../drawing/pieces.ts';

export interface Table {
  readonly heading: readonly Piece[];
  readonly rowCount: number;
  /** Makes row `at`: of a thousand devices, forty are on the screen. */
  readonly row: (at: number) => readonly Piece[];
  /** The selected row; -1 when there is none. */
  readonly pointed: number;
}

/** The rows that fit into `height`, the selected one among them, and how many are hidden. */
export function windowOf({ rowCount, row, pointed }: Table, height: number): readonly (readonly Piece[])[] {
  const rows = (from: number, shown: number) => Array.from({ length: shown }, (_none, at) => row(from + at));
  if (rowCount <= height) return rows(0, rowCount);
  const shown = Math.max(1, height - 1);
  const from = Math.max(0, Math.min(pointed - Math.floor(shown / 2), rowCount - shown));
  const below = rowCount - from - shown;
  const hidden = [from > 0 ? `${from} above` : '', below > 0 ? `${below} below` : ''].filter((text) => text !== '');
  return [...rows(from, shown), [piece(`  and ${hidden.join(', ')}`, 'quiet')]];
}

/** Stands before each row, and marks the selected one. */
export function pointer(shown: boolean, glyphs: Glyphs): Piece {
  return shown ? piece(`${glyphs.pointer} `, 'accent', true) : piece('  ');
}
