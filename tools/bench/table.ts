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
  /** Instructions per request in the server's threads. */
  readonly inUblkts: number | null;
  readonly inKublk: number | null;
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
    );
  const ours = cells.filter((cell) => cell.server === 'ublkts');
  return ours
    .toSorted((a, b) => order(a) - order(b))
    .map((cell) => {
      const reference = of('kublk', cell);
      const kublk = reference?.iops ?? null;
      const ratio = kublk === null ? null : cell.iops / kublk;
      return {
        target: cell.target,
        mode: cell.mode,
        row: cell.row,
        ublkts: cell.iops,
        kublk,
        kernel: of('kernel', cell)?.iops ?? null,
        ratio,
        inUblkts: cell.inServer,
        inKublk: reference?.inServer ?? null,
      };
    });
}

export function geometricMean(comparisons: readonly Comparison[]): number {
  const ratios = comparisons.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

const HEAD =
  '| target | mode | row | ratio | ublkts | kublk | kernel | a request | in ublkts | in kublk |\n' +
  '|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n';

export function markdown(comparisons: readonly Comparison[]): string {
  return `${HEAD}${comparisons.map(line).join('\n')}\n`;
}

/** The table in `text` with these rows in the place of those of the same name. */
export function updated(text: string, comparisons: readonly Comparison[]): string {
  const lines = new Map([...parseRows(text), ...comparisons].map((row) => [nameOf(row), line(row)]));
  const names = TARGETS.flatMap((target) =>
    MODES.flatMap(({ name: mode }) => ROWS.map((row) => nameOf({ target, mode, row: rowName(row) }))),
  );
  return `${HEAD}${names.flatMap((name) => lines.get(name) ?? []).join('\n')}\n`;
}

function line({ target, mode, row, ratio, ublkts, kublk, kernel, inUblkts, inKublk }: Comparison): string {
  const names = [target, mode, row, ratio?.toFixed(3) ?? '-'];
  const figures = [figure(ublkts), figure(kublk), figure(kernel), difference(ublkts, kublk)];
  return `| ${[...names, ...figures, figure(inUblkts), figure(inKublk)].join(' | ')} |`;
}

/** Instructions that a request takes more with ublkts than with kublk. The clock counts 10^9 of them per second. */
function difference(ublkts: number, kublk: number | null): string {
  if (kublk === null) return '-';
  const more = Math.round(1e9 / ublkts - 1e9 / kublk);
  return `${more > 0 ? '+' : ''}${more.toLocaleString('en-US')}`;
}

function nameOf({ target, mode, row }: Pick<Comparison, 'target' | 'mode' | 'row'>): string {
  return `${target} ${mode} ${row}`;
}

/** Parses what `markdown` wrote. */
function parseRows(text: string): Comparison[] {
  return text.split('\n').flatMap((line): Comparison[] => {
    const [, target = '', mode = '', row = '', ratioText = '', ...figures] = line.split('|').map((cell) => cell.trim());
    const [ublkts = null, kublk = null, kernel = null, , inUblkts = null, inKublk = null] = figures.map(parseFigure);
    if (!/^(?:\d+\.\d+|-)$/.test(ratioText) || ublkts === null) return [];
    return [{ target, mode, row, ratio: parseFigure(ratioText), ublkts, kublk, kernel, inUblkts, inKublk }];
  });
}

function figure(iops: number | null): string {
  return iops === null ? '-' : iops.toLocaleString('en-US');
}

function parseFigure(text: string): number | null {
  return /^[\d,.]+$/.test(text) ? Number(text.replaceAll(',', '')) : null;
}

/** Ratios of a table that `markdown` wrote, by target, mode and row. */
export function parseRatios(text: string): Map<string, number> {
  return new Map(parseRows(text).flatMap((row) => (row.ratio === null ? [] : [[nameOf(row), row.ratio]])));
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
