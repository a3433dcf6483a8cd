/** Checks for leftovers of crashed servers: devices that nobody serves, and files of devices that no longer exist. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from '../../native/kernel-files.ts';
import { filesOf } from '../../record/files.ts';
import { isServing } from '../../record/process-state.ts';
import type { DeviceReport } from '../report.ts';
import { type Check, ok, warn } from './check.ts';

export function checkDevices(all: readonly DeviceReport[]): Check {
  const going = all.filter(({ deleting }) => deleting !== null);
  if (going.length > 0) return checkGoing(going);
  const paused = all.filter(({ server_state }) => server_state === 'stopped');
  if (paused.length > 0) return checkPaused(paused);
  return checkServed(all);
}

function checkGoing(going: readonly DeviceReport[]): Check {
  const words = going.map(({ id, last_error }) => `device ${id}: ${last_error}`);
  return warn('devices', words.join('; '), 'the devices are gone when nobody holds them any more');
}

function checkPaused(paused: readonly DeviceReport[]): Check {
  const pids = paused.map(({ ublksrv_pid }) => ublksrv_pid);
  const detail = `with a server that is stopped (state T): ${paused.map(({ id }) => id).join(', ')}`;
  return warn('devices', detail, `\`kill -CONT ${pids.join(' ')}\``);
}

function checkServed(devices: readonly DeviceReport[]): Check {
  const orphans = devices.filter(
    ({ state, server_state }) => state === 'DEAD' || server_state === null || !isServing(server_state),
  );
  if (orphans.length === 0) return ok('devices', `${devices.length}, all of them served`);
  const recoverable = orphans.filter(({ state }) => state === 'QUIESCED' || state === 'FAIL_IO').map(({ id }) => id);
  const lost = orphans.filter(({ id }) => !recoverable.includes(id)).map(({ id }) => id);
  const ways = [
    recoverable.length > 0 && recoverable.map((id) => `\`ublkts recover -n ${id}\``).join(', '),
    lost.length > 0 && `\`ublkts del ${lost.join(' ')}\``,
  ].filter((way) => way !== false);
  return warn('devices', `without a server: ${orphans.map(({ id }) => id).join(', ')}`, ways.join('; '));
}

/** Files are named after their device: `7.json`, `ublkb7.sock`. `ids` are the devices that there are. */
export function checkFiles(ids: readonly number[], fix: boolean): Check {
  const directories = new Set(Object.values(filesOf(0)).map((path) => dirname(path)));
  const stale = [...directories].flatMap((directory) =>
    namesIn(directory)
      .filter((name) => isOfAnother(name, ids))
      .map((name) => join(directory, name)),
  );
  if (stale.length === 0) return ok('files', `nothing stale in ${[...directories].join(' and ')}`);
  if (!fix) return warn('files', `of devices that are gone: ${stale.join(' ')}`, '`ublkts doctor --fix` removes them');
  for (const path of stale) rmSync(path, { force: true });
  return ok('files', `removed, of devices that are gone: ${stale.join(' ')}`);
}

export function isOfAnother(name: string, ids: readonly number[]): boolean {
  const id = /^(?:ublkb)?(\d+)\./.exec(name)?.[1];
  return id !== undefined && !ids.includes(Number(id));
}
