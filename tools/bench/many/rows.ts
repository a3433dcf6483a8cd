/** What the guests' scripts measure: rows of tables, a line of JSON each. */

export const TABLES = ['add', 'memory', 'commands', 'cost', 'neighbour', 'churn'] as const;
export type TableName = (typeof TABLES)[number];
export type Cells = Readonly<Record<string, number | string>>;

export interface Row {
  readonly table: TableName;
  /** By column. */
  readonly cells: Cells;
}

export function report(table: TableName, cells: Cells): void {
  const row: Row = { table, cells };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && 'table' in value && 'cells' in value;
}

/** All tables in Markdown, in the order of TABLES. */
export function tables(rows: readonly Row[]): string {
  return TABLES.map((name) => rows.filter(({ table }) => table === name))
    .filter((own) => own.length > 0)
    .map((own) => `${markdown(own)}\n`)
    .join('\n');
}

/** The rows of a table in Markdown. A row need not have a cell in each column. */
function markdown(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  const isNumeric = (column: string): boolean => rows.every(({ cells }) => typeof cells[column] !== 'string');
  const lines = rows.map(({ cells }) => line(columns.map((column) => textOf(cells[column]))));
  return [line(columns), `|${columns.map((column) => (isNumeric(column) ? '---:|' : '---|')).join('')}`, ...lines].join(
    '\n',
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function textOf(cell: number | string | undefined): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : (cell ?? '');
}
