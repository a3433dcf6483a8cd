/** Columns of text, aligned by what they show and not by the escape codes in it. */
import { stripVTControlCharacters } from 'node:util';
import { styles } from './styles.ts';

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Wins back room on a narrow terminal; the last characters matter most in it (a path). */
  readonly shrinks?: boolean;
}

const GAP = '  ';
const SMALLEST = 8;

export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ heading }, at) =>
    Math.max(heading.length, ...cells.map((row) => visibleLength(row[at] ?? ''))),
  );
  const excess = widths.reduce((sum, one) => sum + one + GAP.length, -GAP.length) - width;
  const shrinking = columns.findIndex(({ shrinks }) => shrinks === true);
  if (excess > 0 && shrinking !== -1) widths[shrinking] = Math.max(SMALLEST, (widths[shrinking] ?? 0) - excess);

  const heading = columns.map((column) => styles.heading(column.heading));
  return [heading, ...cells]
    .map((row) => row.map((text, at) => fit(text, widths[at] ?? 0, columns[at]?.align)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

export function terminalWidth(): number {
  return process.stdout.columns ?? 120;
}

function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const length = visibleLength(text);
  if (length > width) return `…${stripVTControlCharacters(text).slice(length - width + 1)}`;
  const padding = ' '.repeat(width - length);
  return align === 'right' ? padding + text : text + padding;
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
