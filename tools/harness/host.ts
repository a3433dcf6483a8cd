/** Runs programs on the host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from './root.ts';

/**
 * Runs a program in the project's directory and returns its exit code. What it prints goes to our stdout and stderr, or to
 * `write`.
 */
export async function runHere(
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  write?: (text: Uint8Array) => void,
): Promise<number> {
  const output = write === undefined ? 'inherit' : 'pipe';
  const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', output, output] });
  if (write !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on('data', write);
  // Ctrl-C on a terminal reaches the child by itself. A signal to this process alone does not.
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (killedBy !== null) process.stderr.write(`${file} was ended by ${killedBy}\n`);
  return code ?? 1;
}
