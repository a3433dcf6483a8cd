#!/usr/bin/env node
/**
 * `npm run test:chaos`: rounds of random devices under a client that checks its data, each of which meets a misfortune,
 * in one guest.
 *   --rounds N         how many (10)
 *   --seed S           what they are (1)
 *   --round K          only this one
 */
import { parseArgs } from 'node:util';
import { inGuest, runHarness } from './harness/lab.ts';

const SECONDS_PER_ROUND = 120;
/** The less there is, the sooner none is left. */
const MEMORY = '1G';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    round: { type: 'string' },
  },
});
const [first, last] = values.round === undefined ? [0, Number(values.rounds) - 1] : [values.round, values.round];

await runHarness((_scratch, signal) =>
  inGuest({
    command: ['node', 'tools/chaos/guest.ts', values.seed, String(first), String(last)],
    memory: MEMORY,
    timeoutSeconds: 300 + SECONDS_PER_ROUND * (Number(last) - Number(first) + 1),
    onStdout: (chunk) => void process.stdout.write(chunk),
    onStderr: (chunk) => void process.stderr.write(chunk),
    signal,
  }),
);
