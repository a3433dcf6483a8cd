/** The points as tables of docs/performance.md. Pure. */
import { costOfPage, CURVES, type Curve, type Point, pointsOf, type Server, valueName } from './curves.ts';

export function markdown(points: readonly Point[]): string {
  return CURVES.filter(({ name }) => points.some(({ curve }) => curve === name))
    .map((curve) => `**${capital(curve.title)}** (${curve.load})\n\n${table(curve, points)}`)
    .join('\n');
}

function table(curve: Curve, points: readonly Point[]): string {
  const ours = pointsOf(points, curve.name, 'ublkts');
  const names = ours.map(({ value }) => valueName(curve.name, value));
  const rows = curve.servers.flatMap((server) => rowsOf(curve, points, server));
  const head = [`| instructions per request | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`];
  return `${[...head, ...rows].join('\n')}\n`;
}

function rowsOf(curve: Curve, points: readonly Point[], server: Server): string[] {
  const line = pointsOf(points, curve.name, server);
  const costs = line.map(({ cost }) => cost);
  const whole = row(server, costs);
  return curve.name === 'size' ? [whole, row(`${server}, for 4 KiB`, line.map(costOfPage))] : [whole];
}

function row(name: string, costs: readonly number[]): string {
  return `| ${[name, ...costs.map(figure)].join(' | ')} |`;
}

/** The points of tables that `markdown` wrote. */
export function parsePoints(text: string): Point[] {
  return CURVES.flatMap((curve) => {
    const [, rest] = text.split(`**${capital(curve.title)}** (`);
    // The lines of the table: its head, the dashes, a line for a server.
    const [head = [], , ...lines] = (rest?.split('\n\n')[1] ?? '').split('\n').map(cellsOf);
    return curve.servers.flatMap((server) => {
      const costs = lines.find(([name]) => name === server)?.slice(1) ?? [];
      return costs.map((cost, at): Point => {
        const value = curve.values.find((value) => valueName(curve.name, value) === head[at + 1]) ?? 0;
        return { curve: curve.name, value, server, cost: Number(cost.replaceAll(',', '')) };
      });
    });
  });
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The dearest point of ours over the cheapest: 1 is flat. */
export function spread(points: readonly Point[]): number {
  const costs = points.map(({ cost }) => cost);
  return Math.max(...costs) / Math.min(...costs);
}

function figure(cost: number): string {
  return Math.round(cost).toLocaleString('en-US');
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
