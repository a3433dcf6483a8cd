/** Measures the target nbd beside the kernel's nbd driver, on one server, and writes the result to docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { CLOCKS, isNbdCell } from './rows.ts';
import { markdown } from './table.ts';

const TABLES = { counted: 'nbd', wall: 'nbd on two CPUs' } as const;

/** `clock`: just one of them, and nothing is written. */
export async function nbdBench(document: string, clock: string | undefined, signal: AbortSignal): Promise<number> {
  for (const name of CLOCKS.filter((known) => clock === undefined || known === clock)) {
    const guest = name === 'counted' ? { instructions: true } : { instructions: false, cpus: 2, memory: '4G' };
    const script = ['tools/bench/nbd/guest.ts', name];
    const cells = (await guestLines({ ...guest, script, timeoutSeconds: 1800, signal })).filter(isNbdCell);
    const table = markdown(cells, name);
    process.stdout.write(`${table}\n`);
    if (clock === undefined) writeFileSync(document, putBetween(readFileSync(document, 'utf8'), TABLES[name], table));
  }
  return 0;
}
