/** Starts verifier.ts and reads its verdict. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Verdict } from './verifier.ts';

const SCRIPT = fileURLToPath(new URL('./verifier.ts', import.meta.url));

export interface Verifier {
  /** Lets it read every block once more, and gives its verdict. */
  readonly stop: () => Promise<Verdict>;
  readonly kill: () => void;
}

/**
 * `options` are those of verifier.ts. It is at work when this resolves. With the niceness 19 it uses the processor time
 * that others leave.
 */
export async function startVerifier(
  device: string,
  blocks: number,
  options: readonly string[] = [],
  niceness = 0,
): Promise<Verifier> {
  const client = [process.execPath, SCRIPT, device, String(blocks), ...options];
  const child = spawn('nice', ['-n', String(niceness), ...client], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the verifier ended before it began')));
  const [first] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
  ended.catch(() => {});
  const rest = text(child.stdout);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const lines = `${first.toString()}${await rest}`.split('\n');
      return JSON.parse(lines[1] ?? '') as Verdict;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
