/**
 * Starts the threads of libuv's pool. libuv starts all of them with the first call that needs one, and ends the process
 * when one of them cannot be started (`ulimit -u`, pids.max). A server has them before it has a device that is live.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { builtInTarget } from '../targets/registry.ts';

export async function startPool(): Promise<void> {
  await stat('/');
}

/**
 * Whether a server of one device with this target may need the pool while it serves: to look up a host, or for code of
 * somebody's own. Other targets need it when the device has gone, and four threads that idle until then are not worth it.
 */
export function needsPool(target: string): boolean {
  return isAbsolute(target) || builtInTarget(target)?.storage !== undefined;
}
