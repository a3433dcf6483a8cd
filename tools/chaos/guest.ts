/** Runs in the lab's guest: `node guest.ts SEED FIRST LAST`, a line for each round. Ends with 1 when one has failed. */
import { leftovers } from '../guest/leftovers.ts';
import { describeRound, planRound } from './plan.ts';
import { playRound } from './round.ts';
import { Stopwatch } from './stopwatch.ts';

const [seed = 1, first = 0, last = 0] = process.argv.slice(2).map(Number);
let failed = 0;

for (let number = first; number <= last; number++) {
  const round = planRound(seed, number);
  const watch = new Stopwatch();
  const started = performance.now();
  let wrong: string | undefined;
  try {
    await playRound(round, watch);
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(
    `${wrong === undefined ? '✔' : '✖'} ${number} ${seconds} s  ${describeRound(round)}  (${watch.text()})\n`,
  );
  if (wrong === undefined) continue;
  failed++;
  process.stdout.write(`    ${wrong.trim().replaceAll('\n', '\n    ')}\n`);
  process.stdout.write(`    again: npm run test:chaos -- --seed ${seed} --round ${number}\n`);
  if ((await leftovers()).length > 0) {
    process.stdout.write(`    the guest is not clean any more, so the rounds after ${number} are not played\n`);
    break;
  }
}
process.exit(failed > 0 ? 1 : 0);
