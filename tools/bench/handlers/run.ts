/** Measures targets of byte handlers beside the same disk in C, and writes the result to docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { isHandlersCell } from './rows.ts';
import { markdown, missed } from './table.ts';

/** The exit code: 1 when a row is below its bound. */
export async function handlersBench(document: string, signal: AbortSignal): Promise<number> {
  const script = ['tools/bench/handlers/guest.ts'];
  const cells = (await guestLines({ script, instructions: true, timeoutSeconds: 1800, signal })).filter(isHandlersCell);
  const table = markdown(cells);
  process.stdout.write(table);
  writeFileSync(document, putBetween(readFileSync(document, 'utf8'), 'handlers', table));
  const below = missed(cells);
  for (const line of below) process.stdout.write(`slow: ${line}\n`);
  return below.length > 0 ? 1 : 0;
}
