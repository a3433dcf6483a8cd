/** Runs a measuring script in a guest of its own, so that nothing that ran before matters. It prints one line of JSON per figure. */
import { runInGuest } from '../../src/lab/run.ts';
import { ROOT } from '../harness/root.ts';

export interface Measurement {
  /** A script and its arguments, for node. */
  readonly script: readonly string[];
  /** true: one CPU whose clock is its instructions. A number: that many, and the clock is the sum of theirs. */
  readonly instructions: boolean | number;
  readonly cpus?: number;
  readonly memory?: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** The lines as values, for the caller to check. */
export async function guestLines({ script, ...options }: Measurement): Promise<unknown[]> {
  let text = '';
  let errors = '';
  const { exitCode } = await runInGuest({
    memory: '2G',
    ...options,
    command: ['node', ...script],
    projectRoot: ROOT,
    onStdout: (chunk) => void (text += chunk.toString()),
    onStderr: (chunk) => void (errors += chunk.toString()),
  });
  if (exitCode !== 0) throw new Error(`${script.join(' ')}: exit code ${exitCode}\n${errors}`);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line));
}
