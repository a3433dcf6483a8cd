/** What crashed servers left behind: devices that nobody serves, and files of devices that are no more. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf } from '../../record/files.ts';
import { isRunning } from '../../record/server-identity.ts';
import type { DeviceReport } from '../report.ts';
import { type Check, ok, warn } from './check.ts';

export function checkDevices(devices: readonly DeviceReport[]): Check {
  const orphans = devices.filter((device) => device.state === 'DEAD' || !isRunning(device.ublksrv_pid));
  if (orphans.length === 0) return ok('devices', `${devices.length}, all of them served`);
  const recoverable = orphans.filter(({ state }) => state === 'QUIESCED' || state === 'FAIL_IO').map(({ id }) => id);
  const lost = orphans.filter(({ id }) => !recoverable.includes(id)).map(({ id }) => id);
  const ways = [
    recoverable.length > 0 && recoverable.map((id) => `\`ublkts recover -n ${id}\``).join(', '),
    lost.length > 0 && `\`ublkts del ${lost.join(' ')}\``,
  ].filter((way) => way !== false);
  return warn('devices', `without a server: ${orphans.map(({ id }) => id).join(', ')}`, ways.join('; '));
}

/** Files are named after their device: `7.json`, `ublkb7.sock`. */
export function checkFiles(ids: readonly number[]): Check {
  const directories = new Set(Object.values(filesOf(0)).map((path) => dirname(path)));
  const stale = [...directories].flatMap((directory) =>
    namesIn(directory)
      .filter((name) => isOfAnother(name, ids))
      .map((name) => join(directory, name)),
  );
  if (stale.length === 0) return ok('files', `nothing stale in ${[...directories].join(' and ')}`);
  return warn('files', `of devices that are gone: ${stale.join(' ')}`, 'remove them; no server uses them any more');
}

export function isOfAnother(name: string, ids: readonly number[]): boolean {
  const id = /^(?:ublkb)?(\d+)\./.exec(name)?.[1];
  return id !== undefined && !ids.includes(Number(id));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
