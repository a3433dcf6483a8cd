/**
 * Runs inside a guest whose clock counts the instructions of its one CPU: `add -t null` from its start to the first byte
 * read from the device, client, server and kernel together, beside bare Node.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { ublkts } from '../../guest/ublkts.ts';
import { median } from '../median.ts';
import { BUDGETS, type Figure } from './figures.ts';

const RUNS = 7;
const ID = 3;

async function main(): Promise<Figure> {
  await addOnce();
  bareNode();
  const [adds, nodes]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    nodes.push(bareNode());
    adds.push(await addOnce());
  }
  const [add, node] = [median(adds), median(nodes)];
  return {
    what: '`add -t null` to the first byte read',
    budget: BUDGETS.add,
    figure: add / node,
    unit: 'x node',
    note: `${millions(add)} million instructions, bare Node ${millions(node)}, medians of ${RUNS} runs, warm compile cache`,
  };
}

function bareNode(): number {
  const start = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  return performance.now() - start;
}

async function addOnce(): Promise<number> {
  const start = performance.now();
  await ublkts(`add -t null -n ${ID}`);
  const fd = openSync(`/dev/ublkb${ID}`, 'r');
  readSync(fd, Buffer.alloc(512), 0, 512, 1 << 30);
  const took = performance.now() - start;
  closeSync(fd);
  execFileSync('udevadm', ['settle']);
  await ublkts(`del -n ${ID}`);
  return took;
}

/** A millisecond of the guest's clock is a million instructions. */
function millions(ms: number): number {
  return Math.round(ms);
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
