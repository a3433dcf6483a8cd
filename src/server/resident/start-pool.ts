/**
 * Starts the threads of libuv's pool. libuv starts all of them with the first call that needs one, and ends the process
 * when one of them cannot be started (`ulimit -u`, pids.max). A resident server has them before it has a device.
 */
import { stat } from 'node:fs/promises';

export async function startPool(): Promise<void> {
  await stat('/');
}
