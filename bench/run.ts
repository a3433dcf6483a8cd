#!/usr/bin/env node
/**
 * `npm run bench`: kublk and ublkts side by side in the lab, in counted instructions, so that the figures are the same on
 * every machine. Writes docs/performance.md's table; with --quick it compares a few rows with that table instead, and with
 * --target and --mode it measures just those.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runInGuest } from '../src/lab/run.ts';
import { runHarness } from '../test/harness/lab.ts';
import { ROOT } from '../test/harness/files.ts';
import { type Cell, isCell, MODES, TARGETS } from './matrix.ts';
import { compare, drops, geometricMean, markdown, parseRatios } from './table.ts';

const DOCUMENT = `${ROOT}/docs/performance.md`;
const BEGIN = '<!-- table: written by npm run bench -->\n';
const END = '<!-- end of table -->\n';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, target: { type: 'string' }, mode: { type: 'string' } },
});

await runHarness(async (_scratch, signal) => {
  const targets = TARGETS.filter((target) => values.target === undefined || target === values.target);
  const modes = MODES.filter(({ name }) => values.mode === undefined || name === values.mode);
  const cells: Cell[] = [];
  for (const target of targets) {
    for (const mode of modes) cells.push(...(await measure(target, mode.name, signal)));
  }
  return report(cells);
});

/** One guest for a target and a mode: what ran before cannot matter. */
async function measure(target: string, mode: string, signal: AbortSignal): Promise<Cell[]> {
  let text = '';
  let errors = '';
  const { exitCode } = await runInGuest({
    command: ['node', 'bench/guest.ts', target, mode, ...(values.quick ? ['quick'] : [])],
    projectRoot: ROOT,
    memory: '2G',
    instructions: true,
    timeoutSeconds: 1800,
    onStdout: (chunk) => void (text += chunk.toString()),
    onStderr: (chunk) => void (errors += chunk.toString()),
    signal,
  });
  if (exitCode !== 0) throw new Error(`${target} ${mode}: exit code ${exitCode}\n${errors}`);
  const cells = text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .filter(isCell);
  process.stdout.write(markdown(compare(cells)).split('\n').slice(2).join('\n'));
  return cells;
}

function report(cells: readonly Cell[]): number {
  const comparisons = compare(cells);
  const least = Math.min(...comparisons.flatMap(({ ratio }) => (ratio === null ? [] : [ratio])));
  process.stdout.write(`geometric mean ${geometricMean(comparisons).toFixed(3)}, least ${least.toFixed(3)}\n`);
  if (values.quick) {
    const lost = drops(comparisons, parseRatios(readFileSync(DOCUMENT, 'utf8')));
    for (const line of lost) process.stdout.write(`slower: ${line}\n`);
    return lost.length > 0 ? 1 : 0;
  }
  if (values.target === undefined && values.mode === undefined) writeTable(markdown(comparisons));
  return 0;
}

function writeTable(table: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before] = text.split(BEGIN);
  const [, after] = text.split(END);
  writeFileSync(DOCUMENT, `${before ?? ''}${BEGIN}\n${table}\n${END}${after ?? ''}`);
}
