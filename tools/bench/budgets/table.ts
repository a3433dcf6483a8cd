/** Budgets as a table: for the terminal and for docs/performance.md. Pure. */
import { type Figure, kept } from './figures.ts';

export function markdown(figures: readonly Figure[]): string {
  const rows = figures.map(
    (figure) =>
      `| ${[figure.what, budget(figure), amount(figure, figure.figure), verdict(figure), figure.note].join(' | ')} |`,
  );
  return `| what | budget | figure | verdict | |\n|---|---:|---:|---|---|\n${rows.join('\n')}\n`;
}

function budget(figure: Figure): string {
  return figure.budget === null ? '-' : amount(figure, figure.budget);
}

function amount({ unit }: Figure, value: number): string {
  return `${unit === 'devices' ? value : value.toFixed(1)} ${unit}`;
}

function verdict(figure: Figure): string {
  if (figure.budget === null) return '-';
  return kept(figure) ? 'kept' : 'exceeded';
}
