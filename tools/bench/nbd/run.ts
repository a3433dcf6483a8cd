/** Measures the target nbd beside the kernel's nbd driver, on one server, and writes the result to docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { CLIENTS, CLOCKS, isNbdCell, type NbdCell } from './rows.ts';
import { markdown } from './table.ts';

/** How long a guest may take: on a busy machine, several times what it takes on an idle one. */
const PATIENCE_SECONDS = 3600;

const TABLES = { counted: 'nbd', wall: 'nbd on two CPUs' } as const;

/** `clock`: just one of them, and nothing is written. */
export async function nbdBench(document: string, clock: string | undefined, signal: AbortSignal): Promise<number> {
  for (const name of CLOCKS.filter((known) => clock === undefined || known === clock)) {
    const cells = name === 'counted' ? await counted(signal) : await timed(signal);
    const table = markdown(cells, name);
    process.stdout.write(`${table}\n`);
    if (clock === undefined) writeFileSync(document, putBetween(readFileSync(document, 'utf8'), TABLES[name], table));
  }
  return 0;
}

/** Each client has a guest of its own, so that none meets what measuring another has left behind. */
async function counted(signal: AbortSignal): Promise<NbdCell[]> {
  const cells: NbdCell[] = [];
  for (const client of CLIENTS) {
    const script = ['tools/bench/nbd/guest.ts', 'counted', client];
    const lines = await guestLines({ instructions: true, script, timeoutSeconds: PATIENCE_SECONDS, signal });
    cells.push(...lines.filter(isNbdCell));
  }
  return cells;
}

async function timed(signal: AbortSignal): Promise<NbdCell[]> {
  const guest = { instructions: false, cpus: 2, memory: '4G', timeoutSeconds: PATIENCE_SECONDS, signal };
  return (await guestLines({ ...guest, script: ['tools/bench/nbd/guest.ts', 'wall', ...CLIENTS] })).filter(isNbdCell);
}
