/**
 * Asks whether the hot path is as fast as docs/performance.md says, on the part of its table that has the least beside it:
 * `null` on the copy path. The guest's clock counts instructions, so other guests beside it do not matter.
 */
import { runHere } from '../harness/host.ts';
import type { OrderedOutput } from '../harness/ordered-output.ts';
import { NOTHING, ONE_FAILED, type Tally } from '../harness/tally.ts';

const COMMAND = ['tools/bench.ts', '--quick', '--target', 'null', '--mode', 'plain'];

export function hotPathTask(output: OrderedOutput, signal: AbortSignal): () => Promise<Tally> {
  const job = output.job();
  return async () => {
    job.write('instructions per request beside kublk, null on the copy path\n');
    const code = await runHere(process.execPath, COMMAND, signal, job.write);
    job.write(`${code === 0 ? '✔' : '✖'} npm run bench -- --quick --target null --mode plain\n`);
    job.end();
    return code === 0 ? { ...NOTHING, passed: 1 } : ONE_FAILED;
  };
}
