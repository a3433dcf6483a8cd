/** kublk and ublkts side by side: the table of docs/performance.md, or with `quick` a look whether it still holds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from './document.ts';
import { guestLines } from './guest-lines.ts';
import { type Cell, isCell, MODES, QUICK_MODES, TARGETS, type TargetName } from './matrix.ts';
import { compare, drops, geometricMean, markdown, parseRatios, unknown, updated } from './table.ts';

export interface Selection {
  readonly quick: boolean;
  readonly target: string | undefined;
  readonly mode: string | undefined;
}

/** The exit code: 1 when `quick` found a row that lost more than the tolerance. */
export async function compareServers(selection: Selection, document: string, signal: AbortSignal): Promise<number> {
  const cells: Cell[] = [];
  for (const { target, mode } of selected(selection)) {
    cells.push(...(await measure(target, mode, selection.quick, signal)));
  }
  return report(cells, selection, document);
}

interface Pair {
  readonly target: TargetName;
  readonly mode: string;
}

function selected({ quick, target, mode }: Selection): readonly Pair[] {
  const all = TARGETS.flatMap((target) => MODES.map(({ name }) => ({ target, mode: name })));
  const pairs = quick && target === undefined && mode === undefined ? QUICK_MODES : all;
  return pairs.filter(
    (pair) => (target === undefined || pair.target === target) && (mode === undefined || pair.mode === mode),
  );
}

async function measure(target: TargetName, mode: string, quick: boolean, signal: AbortSignal): Promise<Cell[]> {
  const script = ['tools/bench/guest.ts', target, mode, ...(quick ? ['quick'] : [])];
  const lines = await guestLines({ script, instructions: true, timeoutSeconds: 1800, signal });
  const cells = lines.filter(isCell);
  process.stdout.write(markdown(compare(cells)).split('\n').slice(2).join('\n'));
  return cells;
}

function report(cells: readonly Cell[], { quick }: Selection, document: string): number {
  const comparisons = compare(cells);
  const ratios = comparisons.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  const least = Math.min(...ratios).toFixed(3);
  const closing =
    ratios.length > 0
      ? `geometric mean ${geometricMean(comparisons).toFixed(3)}, least ${least}`
      : 'no kublk beside it';
  process.stdout.write(`${closing}\n`);
  const text = readFileSync(document, 'utf8');
  if (quick) {
    const committed = parseRatios(text);
    for (const row of unknown(comparisons, committed)) process.stdout.write(`not in the table: ${row}\n`);
    const lost = drops(comparisons, committed);
    for (const line of lost) process.stdout.write(`slower: ${line}\n`);
    return lost.length > 0 ? 1 : 0;
  }
  writeFileSync(document, putBetween(text, 'table', updated(text, comparisons)));
  return 0;
}
