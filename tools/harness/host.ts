/** Runs programs on the host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from './root.ts';

/** Runs a program in the project's directory, with our stdout and stderr, and returns its exit code. */
export async function runHere(file: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  // Ctrl-C on a terminal reaches the child by itself. A signal to this process alone does not.
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (killedBy !== null) process.stderr.write(`${file} was ended by ${killedBy}\n`);
  return code ?? 1;
}
