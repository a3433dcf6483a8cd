#!/usr/bin/env node
/**
 * `npm run bench`: what ublkts costs, in the lab and in counted instructions, so that the figures are the same on every
 * machine. Writes what it measures to docs/performance.md.
 *
 *   (nothing)            beside kublk: every target, mode and row. --target and --mode: just those
 *   --quick              a few of those rows; fails when one has lost more than 3 % of what the document has
 *   --flat               cost of a request by depth, queues, size, buffers and devices. --curve: one of them
 *   --wall               beside kublk on two CPUs and the wall clock. --target: just that, and nothing written
 *   --handlers           targets of byte handlers beside the same disk in C; fails when a row is below its bound
 *   --nbd                the target nbd beside the kernel's nbd driver, counted and on two CPUs. --clock: one of them, nothing written
 *   --wake-ups           100,000 promises of each origin, and what waiting for them costs; fails when one is lost
 *   --many               a thousand devices of one resident server: memory, commands, what `add` costs, devices that come and go. --part: one part
 *   --budgets            start-up and memory; fails when a budget is exceeded
 */
import { parseArgs } from 'node:util';
import { runHarness } from './harness/lab.ts';
import { ROOT } from './harness/root.ts';
import { budgets } from './bench/budgets/run.ts';
import { compareServers } from './bench/compare.ts';
import { flatCost } from './bench/flat/run.ts';
import { handlersBench } from './bench/handlers/run.ts';
import { manyDevices } from './bench/many/run.ts';
import { nbdBench } from './bench/nbd/run.ts';
import { wakeUps } from './bench/wake-ups/run.ts';
import { wallClock } from './bench/wall/run.ts';

const DOCUMENT = `${ROOT}/docs/performance.md`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    target: { type: 'string' },
    mode: { type: 'string' },
    flat: { type: 'boolean', default: false },
    curve: { type: 'string' },
    budgets: { type: 'boolean', default: false },
    wall: { type: 'boolean', default: false },
    handlers: { type: 'boolean', default: false },
    nbd: { type: 'boolean', default: false },
    clock: { type: 'string' },
    many: { type: 'boolean', default: false },
    part: { type: 'string' },
    'wake-ups': { type: 'boolean', default: false },
  },
});

await runHarness((_scratch, signal) => {
  const { quick, target, mode, flat, curve } = values;
  if (flat) return flatCost(DOCUMENT, curve, signal);
  if (values.wall) return wallClock(DOCUMENT, target, signal);
  if (values.handlers) return handlersBench(DOCUMENT, signal);
  if (values.nbd) return nbdBench(DOCUMENT, values.clock, signal);
  if (values['wake-ups']) return wakeUps(DOCUMENT, signal);
  if (values.many) return manyDevices(DOCUMENT, values.part, signal);
  if (values.budgets) return budgets(DOCUMENT, signal);
  return compareServers({ quick, target, mode }, DOCUMENT, signal);
});
