/** Measures many devices of one resident server, part after part, and writes docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { putBetween } from '../document.ts';
import { guestLines, type Measurement } from '../guest-lines.ts';
import { isRow, tables } from './rows.ts';

type Part = Pick<Measurement, 'script' | 'instructions' | 'memory'>;

const density = (target: string, count: number, server: string, ...flags: readonly string[]): Part => ({
  script: ['tools/bench/many/guest-density.ts', target, String(count), server, ...flags],
  instructions: true,
  memory: '4G',
});

/** Each in a guest of its own, and each with its place in the document. */
const PARTS: Readonly<Record<string, Part>> = {
  add: { script: ['tools/bench/many/guest-add.ts'], instructions: true },
  null: density('null', 1000, 'ublkts', 'curve'),
  kublk: density('null', 1000, 'kublk'),
  loop: density('loop', 200, 'both'),
  neighbour: { script: ['tools/bench/many/guest-neighbour.ts', '200'], instructions: true },
  churn: { script: ['tools/bench/many/guest-churn.ts', '1000', '50'], instructions: true, memory: '4G' },
};

const TIMEOUT_SECONDS = 7200;

/** `only`: one of the parts; the others keep what the document has. */
export async function manyDevices(document: string, only: string | undefined, signal: AbortSignal): Promise<number> {
  const parts = Object.entries(PARTS).filter(([name]) => only === undefined || only === name);
  if (parts.length === 0) throw new Error(`no part ${only}; there are ${Object.keys(PARTS).join(', ')}`);
  for (const [name, part] of parts) {
    const lines = await guestLines({ ...part, timeoutSeconds: TIMEOUT_SECONDS, signal });
    const text = tables(lines.filter(isRow));
    process.stdout.write(`${name}\n${text}\n`);
    writeFileSync(document, putBetween(readFileSync(document, 'utf8'), `many, ${name}`, text));
  }
  return 0;
}
