/** What the handlers cost, as a table: for the terminal and for docs/performance.md. Pure. */
import { HANDLERS_ROWS, type HandlersCell, type HandlersRow, type ServerName, SERVERS } from './rows.ts';

type Judged = 'ram.ts' | 'later.ts';
const JUDGED: readonly Judged[] = ['ram.ts', 'later.ts'];

export function markdown(cells: readonly HandlersCell[]): string {
  const head = ['row', ...SERVERS.map(title), ...JUDGED.map((name) => `${name} / C`), ...SERVERS.map(inServerTitle)];
  const rows = HANDLERS_ROWS.map((row) => [
    row.name,
    ...SERVERS.map((server) => figure(cellOf(cells, server, row)?.cost)),
    ...JUDGED.map((name) => judged(cells, name, row)),
    ...SERVERS.map((server) => figure(cellOf(cells, server, row)?.inServer)),
  ]);
  const rule = `|---|${head
    .slice(1)
    .map(() => '---:|')
    .join('')}\n`;
  return `${line(head)}${rule}${rows.map(line).join('')}`;
}

/** Sentences about the rows that are below their bounds. */
export function missed(cells: readonly HandlersCell[]): string[] {
  return HANDLERS_ROWS.flatMap((row) =>
    JUDGED.flatMap((name) => {
      const [ratio, least] = [ratioOf(cells, name, row), row.least?.[name]];
      if (least === undefined || ratio === null || ratio >= least) return [];
      return [`${name}, ${row.name}: ${ratio.toFixed(3)} of C, less than ${least}`];
    }),
  );
}

function line(figures: readonly string[]): string {
  return `| ${figures.join(' | ')} |\n`;
}

function judged(cells: readonly HandlersCell[], name: Judged, row: HandlersRow): string {
  const ratio = ratioOf(cells, name, row);
  if (ratio === null) return '-';
  const least = row.least?.[name];
  return least === undefined ? ratio.toFixed(2) : `${ratio.toFixed(2)} (>= ${least})`;
}

/** Requests in the time in which C has one. */
function ratioOf(cells: readonly HandlersCell[], name: Judged, row: HandlersRow): number | null {
  const [ours, inC] = [cellOf(cells, name, row), cellOf(cells, 'C', row)];
  return ours === undefined || inC === undefined ? null : inC.cost / ours.cost;
}

function cellOf(cells: readonly HandlersCell[], server: ServerName, row: HandlersRow): HandlersCell | undefined {
  return cells.find((cell) => cell.server === server && cell.row === row.name);
}

function title(server: ServerName): string {
  return server === 'null' ? 'null, no copy' : server;
}

function inServerTitle(server: ServerName): string {
  return `in ${server}`;
}

function figure(value: number | undefined): string {
  return value === undefined ? '-' : value.toLocaleString('en-US');
}
