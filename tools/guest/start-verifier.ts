/** Starts verifier.ts and reads its verdict. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority, tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { namesIn } from '../../src/native/kernel-files.ts';
import type { Verdict } from './verifier.ts';

const SCRIPT = fileURLToPath(new URL('./verifier.ts', import.meta.url));

export interface Verifier {
  /** Lets it read every block once more, and gives its verdict. */
  readonly stop: () => Promise<Verdict>;
  readonly kill: () => void;
}

/** A verifier that has no device yet. */
export interface IdleVerifier {
  /** It is at work when this resolves. */
  readonly begin: (device: string) => Promise<Verifier>;
  readonly kill: () => void;
}

/** Starts a verifier and lets it begin. */
export function startVerifier(device: string, blocks: number, options?: readonly string[]): Promise<Verifier> {
  return prepareVerifier(blocks, options).begin(device);
}

/** `options` are those of verifier.ts. With the niceness 19 it uses the processor time that others leave. */
export function prepareVerifier(blocks: number, options: readonly string[] = [], niceness = 0): IdleVerifier {
  const client = [process.execPath, SCRIPT, String(blocks), ...options];
  const child = spawn('nice', ['-n', String(niceness), ...client], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Without a cache it takes the types out of its source each time, which is most of its start.
    env: { ...process.env, UV_THREADPOOL_SIZE: '64', NODE_COMPILE_CACHE: `${tmpdir()}/verifier-cache` },
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the verifier ended before it began')));
  ended.catch(() => {});
  // It has ended before it read the device, which `ended` says.
  child.stdin.on('error', () => {});
  const kill = () => void child.kill('SIGKILL');
  const begin = async (device: string): Promise<Verifier> => {
    child.stdin.end(`${device}\n`);
    const [first] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
    const rest = text(child.stdout);
    const stop = async () => {
      hurry(child.pid);
      child.kill('SIGTERM');
      const lines = `${first.toString()}${await rest}`.split('\n');
      return JSON.parse(lines[1] ?? '') as Verdict;
    };
    return { stop, kill };
  };
  return { begin, kill };
}

/** Takes back the niceness, which each thread has for itself. */
function hurry(pid: number | undefined): void {
  for (const thread of namesIn(`/proc/${pid}/task`)) setPriority(Number(thread), 0);
}
