/**
 * SIGTERM, SIGINT and SIGHUP: a device that nobody uses is stopped and deleted, and one in use is served on. Both
 * commands are given by other processes: a server that is killed while it waits for STOP_DEV itself could not die.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { findClaims } from '../block/claims.ts';
import { describeClaim } from '../block/holder.ts';
import { diskNumbers } from '../control/sysfs.ts';
import { packagePath } from '../package-root.ts';
import { asOthersForOutOfMemoryKiller } from './out-of-memory.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Whoever only looks at a device, as udev does, has closed it by the next try. */
const TRIES = 3;
const RETRY_MS = 300;
const EXIT_UNSUPPORTED = 3;

export type Log = (text: string) => void;

/** Catches the signals from now on. Before, they end the process. */
export function endWhenAsked(device: number, log: Log): void {
  let busy = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (busy) return;
      busy = true;
      void end(device, signal, log).finally(() => (busy = false));
    });
  }
}

async function end(device: number, signal: string, log: Log): Promise<void> {
  const refusal = await stopUnused(device);
  if (refusal !== null) {
    log(`${signal}: device ${device} is in use and is served on: ${refusal}`);
    return;
  }
  log(`${signal}: device ${device} is not in use: it is stopped and deleted`);
  // It waits until this process has ended, so this process must not wait for it.
  const del = start(['del', '-n', String(device)], 'inherit');
  del.on('error', (error) => log(`device ${device} is stopped and not deleted: ${error.message}`));
  del.unref();
}

/** Resolves to null when the device is stopped, otherwise to the reason why not. */
async function stopUnused(device: number): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    const use = useOf(device);
    if (use !== null) return use;
    const { code, stderr } = await outcomeOf(start(['stop', '--safe', '-n', String(device)], 'pipe'));
    // The kernel is older than TRY_STOP_DEV, and what would lose data has been looked for.
    if (code === 0 || code === EXIT_UNSUPPORTED) return null;
    if (tries === TRIES) return stderr.split('\n')[0] ?? '';
    await sleep(RETRY_MS);
  }
}

function useOf(device: number): string | null {
  try {
    const [claim] = findClaims(diskNumbers(device).devices);
    return claim === undefined ? null : describeClaim(claim);
  } catch (error) {
    return `it cannot be known who uses it: ${(error as Error).message}`;
  }
}

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  } catch (error) {
    return { code: null, stderr: `the command cannot be started: ${(error as Error).message}` };
  }
}

/** Starts it in a session of its own, so that what ends this process does not end it. */
function start(words: readonly string[], stderr: 'pipe' | 'inherit'): ChildProcess {
  const child = spawn(process.execPath, [packagePath('bin/run.js'), ...words], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', stderr],
  });
  asOthersForOutOfMemoryKiller(child.pid);
  return child;
}
