/** A terminal's screen as data: what is in each cell, and how. */
import type { Terminal } from '@xterm/headless';

export interface Cell {
  readonly text: string;
  /** Index in the terminal's palette; null: the default. */
  readonly colour: number | null;
  readonly bold: boolean;
  readonly dim: boolean;
}

export function cellsOf({ buffer: { active }, rows, cols }: Terminal): Cell[][] {
  return Array.from({ length: rows }, (_row, y) =>
    Array.from({ length: cols }, (_column, x) => {
      const cell = active.getLine(active.baseY + y)?.getCell(x);
      return {
        text: cell?.getChars() || ' ',
        colour: cell === undefined || cell.isFgDefault() ? null : cell.getFgColor(),
        bold: (cell?.isBold() ?? 0) !== 0,
        dim: (cell?.isDim() ?? 0) !== 0,
      };
    }),
  );
}
