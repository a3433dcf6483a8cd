/** Measures kublk and ublkts in turns on two CPUs and the wall clock, and writes the result to docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines } from '../guest-lines.ts';
import { TARGETS } from '../matrix.ts';
import { GUESTS, isRound, markdown, type Round } from './rounds.ts';

export async function wallClock(document: string, target: string | undefined, signal: AbortSignal): Promise<number> {
  const rounds: Round[] = [];
  for (const name of TARGETS.filter((known) => target === undefined || known === target)) {
    const run = {
      script: ['tools/bench/wall/guest.ts', name],
      instructions: false,
      cpus: 2,
      memory: '4G',
      timeoutSeconds: 1800,
    };
    for (let guest = 0; guest < GUESTS; guest++) rounds.push(...(await guestLines({ ...run, signal })).filter(isRound));
  }
  const table = markdown(rounds);
  process.stdout.write(table);
  if (target === undefined) writeFileSync(document, putBetween(readFileSync(document, 'utf8'), 'two CPUs', table));
  return 0;
}
