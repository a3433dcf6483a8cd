import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '../../fixtures/verifier.ts';

const SCRIPT = fileURLToPath(new URL('../../fixtures/verifier.ts', import.meta.url));

/** Starts test/fixtures/verifier.ts; `stop` gives its verdict. */
export async function startVerifier(device: string, blocks: number): Promise<{ stop: () => Promise<Verdict> }> {
  const child = spawn(process.execPath, [SCRIPT, device, String(blocks)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  const rest = text(child.stdout);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const lines = `${first.toString()}${await rest}`.split('\n');
      return JSON.parse(lines[1] ?? '') as Verdict;
    },
  };
}
