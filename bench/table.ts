/** The table of docs/performance.md: ratios to kublk first, figures beside. Pure. */
import { type Cell, MODES, ROWS, rowName, TARGETS } from './matrix.ts';

export interface Comparison {
  readonly target: string;
  readonly mode: string;
  readonly row: string;
  readonly ublkts: number;
  readonly kublk: number | null;
  readonly kernel: number | null;
  /** ublkts / kublk. */
  readonly ratio: number | null;
}

/** Targets in their order, and modes within a target. */
function order(cell: Cell): number {
  return TARGETS.indexOf(cell.target) * 100 + MODES.findIndex(({ name }) => name === cell.mode);
}

export function compare(cells: readonly Cell[]): Comparison[] {
  const of = (server: Cell['server'], like: Cell) =>
    cells.find(
      (cell) =>
        cell.server === server &&
        cell.target === like.target &&
        cell.row === like.row &&
        (server === 'kernel' || cell.mode === like.mode),
    )?.iops ?? null;
  const ours = cells.filter((cell) => cell.server === 'ublkts');
  return ours
    .toSorted((a, b) => order(a) - order(b))
    .map((cell) => {
      const kublk = of('kublk', cell);
      const ratio = kublk === null ? null : cell.iops / kublk;
      return {
        target: cell.target,
        mode: cell.mode,
        row: cell.row,
        ublkts: cell.iops,
        kublk,
        kernel: of('kernel', cell),
        ratio,
      };
    });
}

export function geometricMean(comparisons: readonly Comparison[]): number {
  const ratios = comparisons.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

const HEAD = '| target | mode | row | ratio | ublkts | kublk | kernel |\n|---|---|---|---:|---:|---:|---:|\n';

export function markdown(comparisons: readonly Comparison[]): string {
  return `${HEAD}${comparisons.map(line).join('\n')}\n`;
}

/** The table in `text` with these rows in the place of those of the same name. */
export function updated(text: string, comparisons: readonly Comparison[]): string {
  const lines = new Map([...parseLines(text), ...comparisons.map((row) => [nameOf(row), line(row)] as const)]);
  const names = TARGETS.flatMap((target) =>
    MODES.flatMap(({ name: mode }) => ROWS.map((row) => nameOf({ target, mode, row: rowName(row) }))),
  );
  return `${HEAD}${names.flatMap((name) => lines.get(name) ?? []).join('\n')}\n`;
}

function line({ target, mode, row, ratio, ublkts, kublk, kernel }: Comparison): string {
  const cells = [target, mode, row, ratio?.toFixed(3) ?? '-', figure(ublkts), figure(kublk), figure(kernel)];
  return `| ${cells.join(' | ')} |`;
}

function nameOf({ target, mode, row }: Pick<Comparison, 'target' | 'mode' | 'row'>): string {
  return `${target} ${mode} ${row}`;
}

/** Lines of a table that `markdown` wrote, by target, mode and row. */
function parseLines(text: string): [name: string, line: string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const [, target, mode, row, ratio] = line.split('|').map((cell) => cell.trim());
    const known =
      target !== undefined && mode !== undefined && row !== undefined && /^(?:\d+\.\d+|-)$/.test(ratio ?? '');
    return known ? [[nameOf({ target, mode, row }), line]] : [];
  });
}

function figure(iops: number | null): string {
  return iops === null ? '-' : iops.toLocaleString('en-US');
}

/** Ratios of a table that `markdown` wrote, by target, mode and row. */
export function parseRatios(text: string): Map<string, number> {
  const ratios = parseLines(text).map(([name, row]): [string, number] => [name, Number(row.split('|')[4])]);
  return new Map(ratios.filter(([, ratio]) => !Number.isNaN(ratio)));
}

/** Rows that the committed table does not have, and cannot be compared with. */
export function unknown(comparisons: readonly Comparison[], committed: ReadonlyMap<string, number>): string[] {
  return comparisons.map(({ target, mode, row }) => `${target} ${mode} ${row}`).filter((name) => !committed.has(name));
}

/** Rows that are more than `tolerance` below what the committed table says. */
export function drops(
  comparisons: readonly Comparison[],
  committed: ReadonlyMap<string, number>,
  tolerance = 0.03,
): string[] {
  return comparisons.flatMap(({ target, mode, row, ratio }) => {
    const before = committed.get(`${target} ${mode} ${row}`);
    if (before === undefined || ratio === null || ratio >= before * (1 - tolerance)) return [];
    return [`${target} ${mode} ${row}: ${ratio.toFixed(3)}, the table has ${before.toFixed(3)}`];
  });
}
