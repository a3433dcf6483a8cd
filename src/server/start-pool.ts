/**
 * Starts the threads of libuv's pool. libuv starts all of them with the first call that needs one, and ends the process
 * when one of them cannot be started (`ulimit -u`, pids.max). A server has them before it has a device that is live.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { builtInTarget } from '../targets/registry.ts';

export async function startPool(): Promise<void> {
  await stat('/');
}

/** Whether a server of this device may need the pool: to sync its files, to look up a host, or for code of somebody's own. */
export function needsPool({ files, target }: Pick<DeviceSpec, 'files' | 'target'>): boolean {
  return files.length > 0 || isAbsolute(target) || builtInTarget(target)?.storage !== undefined;
}
