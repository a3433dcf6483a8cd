#!/usr/bin/env node
/**
 * The kernel's own selftests for ublk in the lab, with ublkts in kublk's place: those whose name has one of the given
 * words in it, or all.
 *   --stress           the stress tests too
 *   --only-stress      the stress tests
 *   --reference        run kublk too, although its results are known
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { prepareLab, runHarness } from './harness/lab.ts';
import { OrderedOutput } from './harness/ordered-output.ts';
import { pool } from './harness/pool.ts';
import { readReference } from './selftests/reference.ts';
import { GROUPS } from './selftests/groups.ts';
import { tallyOf } from './selftests/report.ts';
import { selftests } from './selftests/suite-tasks.ts';
import { closingText } from './harness/tally.ts';

const { values, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    stress: { type: 'boolean', default: false },
    'only-stress': { type: 'boolean', default: false },
    reference: { type: 'boolean', default: false },
    guests: { type: 'string', default: String(Math.min(4, availableParallelism())) },
  },
});
const guests = Number(values.guests);

await runHarness(async (_scratch, signal) => {
  const started = performance.now();
  await prepareLab(signal);
  const suite = await selftests({
    // More shares than guests: who is done early takes another, and a guest that dies takes fewer tests with it.
    shares: patterns.length > 0 ? guests : 2 * guests,
    groups: values['only-stress'] ? ['stress'] : GROUPS.filter((group) => values.stress || group !== 'stress'),
    patterns,
    measureReference: values.reference || (await readReference()).size === 0,
    output: new OrderedOutput((text) => process.stdout.write(text)),
    signal,
  });
  const { text, ours } = await suite.finish((await pool(suite.tasks, guests)).flat());
  const tally = tallyOf(ours);
  process.stdout.write(`\n${text}${closingText(tally, performance.now() - started)}`);
  return tally.failed > 0 ? 1 : 0;
});
