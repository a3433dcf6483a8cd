/** A device of kublk's that comes and goes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const KUBLK = '/opt/kublk/kublk';
export const NULL_DEVICE = ['-t', 'null', '-q', '1', '-d', '32'];
const run = promisify(execFile);

export async function kublkCycle(id: number): Promise<void> {
  await run(KUBLK, ['add', ...NULL_DEVICE, '-n', String(id)]);
  await run(KUBLK, ['del', '-n', String(id)]);
}
