/**
 * Measures what a request costs when something varies that should not matter, draws it, and writes docs/performance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { type Curve, CURVES, isPoint, type Point, pointsOf, valueName } from './curves.ts';
import { drawCurves } from './panels.ts';
import { markdown, parsePoints, spread } from './table.ts';

/** `name`: one curve; the others keep the points that they have. */
export async function flatCost(document: string, name: string | undefined, signal: AbortSignal): Promise<number> {
  const curves = CURVES.filter((curve) => name === undefined || curve.name === name);
  if (curves.length === 0) throw new Error(`no curve ${name}; there are ${CURVES.map(({ name }) => name).join(', ')}`);
  for (const curve of curves) {
    const points = await measure(curve, signal);
    print(curve, points);
    write(document, curve, points);
  }
  return 0;
}

/** Starts one guest per curve; for queues one guest per point, with as many CPUs as queues. */
async function measure({ name, values, memory }: Curve, signal: AbortSignal): Promise<Point[]> {
  const script = ['tools/bench/flat/guest.ts', name];
  const options = { memory, timeoutSeconds: 3600, signal };
  if (name !== 'queues') return (await guestLines({ ...options, script, instructions: true })).filter(isPoint);
  const points: Point[] = [];
  for (const value of values) {
    const lines = await guestLines({ ...options, script: [...script, String(value)], instructions: value });
    points.push(...lines.filter(isPoint));
    process.stdout.write(`${name} ${value}: ${points.at(-1)?.cost}\n`);
  }
  return points;
}

function print({ name, title, servers }: Curve, points: readonly Point[]): void {
  for (const server of servers) {
    const line = pointsOf(points, name, server);
    const costs = line.map(({ value, cost }) => `${valueName(name, value)}: ${cost}`).join(', ');
    process.stdout.write(`${title}, ${server}: ${costs} (most / least ${spread(line).toFixed(2)})\n`);
  }
}

/** Writes the document after each curve, so that an interrupted run has written what it has measured. */
function write(document: string, curve: Curve, measured: readonly Point[]): void {
  const text = readFileSync(document, 'utf8');
  const points = [...parsePoints(text).filter((point) => point.curve !== curve.name), ...measured];
  writeFileSync(document, putBetween(text, 'flat cost', markdown(points)));
  writeFileSync(join(dirname(document), 'flat-cost.svg'), drawCurves(points));
}
