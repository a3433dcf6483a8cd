/** The rows that `bench` measured, as a table. */
import type { BenchReport, BenchRowReport } from '../../device/bench.ts';
import { megabytes, percent } from '../../text/numbers.ts';
import type { Views } from './views.ts';
import { escapeControls } from '../../text/escape.ts';
import { styles } from './styles.ts';
import { type Column, renderTable, terminalWidth } from './table.ts';

const COLUMNS: readonly Column<BenchRowReport>[] = [
  { heading: 'ROW', cell: ({ row }) => row },
  { heading: 'IOPS', align: 'right', cell: ({ iops }) => String(Math.round(iops)) },
  { heading: 'MB/s', align: 'right', cell: ({ bytes_per_second }) => megabytes(bytes_per_second) },
  { heading: 'MEAN', align: 'right', cell: ({ latency_us }) => microseconds(latency_us.mean) },
  { heading: 'P50', align: 'right', cell: ({ latency_us }) => microseconds(latency_us.p50) },
  { heading: 'P99', align: 'right', cell: ({ latency_us }) => microseconds(latency_us.p99) },
  { heading: 'MATCHED', align: 'right', cell: ({ matched }) => percent(matched) },
  { heading: 'REGISTERED', align: 'right', cell: ({ registered }) => percent(registered) },
  { heading: 'COPIED', align: 'right', cell: ({ copied }) => percent(copied) },
];

/** kublk has no such command, so a pipe gets the table too. */
export function benchViews(report: BenchReport): Views {
  return { json: report, kublk: () => benchTable(report), table: () => benchTable(report) + remark(report) };
}

export function benchTable({ path, target, data_path, seconds, rows }: BenchReport): string {
  const facts = [target?.type, data_path, `${seconds} s per row`, 'latencies in us'].filter((fact) => fact != null);
  return `${styles.path(path)}: ${escapeControls(facts.join(', '))}\n${renderTable(COLUMNS, rows, terminalWidth())}`;
}

function remark({ rows }: BenchReport): string {
  const wrote = rows.some(({ row }) => row.endsWith('write'));
  return wrote
    ? ''
    : `${styles.dim('only reads were measured: writing destroys the data on the device, and needs --write')}\n`;
}

function microseconds(us: number | null): string {
  if (us === null) return '-';
  return us < 99.95 ? us.toFixed(1) : String(Math.round(us));
}
