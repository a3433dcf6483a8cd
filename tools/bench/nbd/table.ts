/** What the target nbd costs beside the kernel's driver, as a table: for the terminal and for docs/performance.md. Pure. */
import { median } from '../median.ts';
import { CLIENTS, type ClientName, type Clock, NBD_ROWS, type NbdCell } from './rows.ts';

const OURS = CLIENTS.filter((client) => client !== 'kernel');

/** One line per row: the ratios to the kernel's driver, then the figures. */
export function markdown(cells: readonly NbdCell[], clock: Clock): string {
  const own = cells.filter((cell) => cell.clock === clock);
  const counted = clock === 'counted';
  const head = [
    'row',
    ...OURS.map((client) => `${client} / kernel`),
    ...CLIENTS.map((client) => client),
    ...(counted ? OURS.map((client) => `in ${client}`) : []),
  ];
  const rows = NBD_ROWS.map(({ name }) => [
    name,
    ...OURS.map((client) => ratioOf(own, client, name)?.toFixed(2) ?? '-'),
    ...CLIENTS.map((client) => (counted ? figure(iopsOf(own, client, name)) : spread(own, client, name))),
    ...(counted ? OURS.map((client) => figure(inServerOf(own, client, name))) : []),
  ]);
  const means = OURS.map((client) => geometricMean(own, client).toFixed(2));
  const mean = ['geometric mean', ...means, ...head.slice(1 + OURS.length).map(() => '')];
  const rule = `|---|${'---:|'.repeat(head.length - 1)}\n`;
  return `${line(head)}${rule}${[...rows, mean].map(line).join('')}`;
}

function geometricMean(cells: readonly NbdCell[], client: ClientName): number {
  const ratios = NBD_ROWS.flatMap(({ name }) => ratioOf(cells, client, name) ?? []);
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

function ratioOf(cells: readonly NbdCell[], client: ClientName, row: string): number | null {
  const [ours, kernels] = [iopsOf(cells, client, row), iopsOf(cells, 'kernel', row)];
  return ours === null || kernels === null ? null : ours / kernels;
}

function iopsOf(cells: readonly NbdCell[], client: ClientName, row: string): number | null {
  const figures = figuresOf(cells, client, row);
  return figures.length === 0 ? null : median(figures);
}

function figuresOf(cells: readonly NbdCell[], client: ClientName, row: string): readonly number[] {
  return cells.filter((cell) => cell.client === client && cell.row === row).map(({ iops }) => iops);
}

function inServerOf(cells: readonly NbdCell[], client: ClientName, row: string): number | null {
  return cells.find((cell) => cell.client === client && cell.row === row)?.inServer ?? null;
}

/** The median, the least and the most. */
function spread(cells: readonly NbdCell[], client: ClientName, row: string): string {
  const figures = figuresOf(cells, client, row);
  return figures.length === 0
    ? '-'
    : `${figure(median(figures))} (${figure(Math.min(...figures))} - ${figure(Math.max(...figures))})`;
}

function line(figures: readonly string[]): string {
  return `| ${figures.join(' | ')} |\n`;
}

function figure(value: number | null): string {
  return value === null ? '-' : Math.round(value).toLocaleString('en-US');
}
