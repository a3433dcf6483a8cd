/** Measures start-up and memory, prints them beside their budgets, and writes them to docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { type Figure, isFigure, kept } from './figures.ts';
import { startUpHere } from './host.ts';
import { markdown } from './table.ts';

/** The exit code: 1 when a budget is exceeded. */
export async function budgets(document: string, signal: AbortSignal): Promise<number> {
  const figures: Figure[] = startUpHere();
  const guest = async (script: string, machine: { instructions: boolean; cpus: number; memory: string }) => {
    const lines = await guestLines({ script: [script], ...machine, timeoutSeconds: 1800, signal });
    figures.push(...lines.filter(isFigure));
  };
  await guest('tools/bench/budgets/guest-add.ts', { instructions: true, cpus: 1, memory: '2G' });
  await guest('tools/bench/budgets/guest-memory.ts', { instructions: false, cpus: 4, memory: '6G' });
  await guest('tools/bench/budgets/guest-handlers.ts', { instructions: false, cpus: 4, memory: '2G' });
  const table = markdown(figures);
  process.stdout.write(table);
  writeFileSync(document, putBetween(readFileSync(document, 'utf8'), 'budgets', table));
  return figures.every(kept) ? 0 : 1;
}
