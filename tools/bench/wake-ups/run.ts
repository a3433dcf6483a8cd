/** Counts wake-ups of threads that wait for promises, and the time that waiting costs; writes docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { isIdle, isWakeUps, markdown, MOST_IDLE_MS } from './figures.ts';

/** The exit code: 1 when waiting costs too much. A wake-up that is lost fails the guest. */
export async function wakeUps(document: string, signal: AbortSignal): Promise<number> {
  const script = 'tools/bench/wake-ups/guest.ts';
  const guest = { timeoutSeconds: 3600, signal };
  const idles = (await guestLines({ ...guest, script: [script, 'idle'], instructions: true })).filter(isIdle);
  const run = { ...guest, script: [script, 'promises'], instructions: false, cpus: 2 };
  const counts = (await guestLines(run)).filter(isWakeUps);
  const table = markdown(counts, idles);
  process.stdout.write(table);
  writeFileSync(document, putBetween(readFileSync(document, 'utf8'), 'wake-ups', table));
  return idles.length > 0 && idles.every(({ idleMs }) => idleMs < MOST_IDLE_MS) ? 0 : 1;
}
