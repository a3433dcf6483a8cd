/** Renders rows as columns that line up on a terminal, whatever characters are in them. */
import { escapeControls } from '../../text/escape.ts';
import { cutEnd, padTo } from '../../text/fit.ts';
import { displayWidth } from '../../text/width.ts';
import { styles } from './styles.ts';
import { ellipsis } from './symbols.ts';

export interface Column<Row> {
  readonly heading: string;
  /** The text, without colours. It may have any characters in it. */
  readonly cell: (row: Row) => string;
  /** Colours the text after it has been fitted. */
  readonly style?: (row: Row) => (text: string) => string;
  readonly align?: 'left' | 'right';
  /** The column is left out when the terminal is too narrow. */
  readonly optional?: boolean;
  /** Shortens a cell; only one column has this, and becomes narrower with the terminal. */
  readonly shrink?: Shrink<Row>;
}

export interface Shrink<Row> {
  /** The columns that the text of this row needs at least. */
  readonly least: (row: Row) => number;
  /** A shorter text, for as many columns. */
  readonly shorten: (row: Row, width: number) => string;
}

/** Stands in a cell that has nothing to show. */
export const NOTHING = '-';

const GAP = '  ';

export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string {
  const least = columns.map((column) => widthOf(column, rows, column.shrink?.least));
  const fits = total(least) <= width;
  const shown = fits ? columns : columns.filter(({ optional }) => optional !== true);
  const full = shown.map((column) => widthOf(column, rows));
  const excess = Math.max(0, total(full) - width);
  const widths = shown.map((column, at) => {
    if (column.shrink === undefined) return full[at] ?? 0;
    return Math.max(widthOf(column, rows, column.shrink.least), (full[at] ?? 0) - excess);
  });
  const heading = shown.map((column, at) => styles.heading(padTo(column.heading, widths[at] ?? 0, column.align)));
  const lines = rows.map((row) => shown.map((column, at) => renderCell(column, row, widths[at] ?? 0)));
  return [heading, ...lines].map((cells) => `${cells.join(GAP).trimEnd()}\n`).join('');
}

/** The terminal's width, and a usual one where there is no terminal or it says 0, as a serial console does. */
export function terminalWidth(): number {
  return process.stdout.columns || 120;
}

function widthOf<Row>(
  { heading, cell }: Column<Row>,
  rows: readonly Row[],
  measure: (row: Row) => number = (row) => displayWidth(escapeControls(cell(row))),
): number {
  return Math.max(displayWidth(heading), ...rows.map(measure));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length);
}

/** Blanks stay outside of the colours, so that the end of a line can be trimmed. */
function renderCell<Row>(column: Column<Row>, row: Row, width: number): string {
  const text = fit(column, row, width);
  const blanks = padTo('', width - displayWidth(text));
  const styled = text === NOTHING ? styles.dim(text) : (column.style?.(row)(text) ?? text);
  return column.align === 'right' ? blanks + styled : styled + blanks;
}

function fit<Row>({ cell, shrink }: Column<Row>, row: Row, width: number): string {
  const text = escapeControls(cell(row));
  if (displayWidth(text) <= width || shrink === undefined) return text;
  return cutEnd(escapeControls(shrink.shorten(row, width)), width, ellipsis());
}
