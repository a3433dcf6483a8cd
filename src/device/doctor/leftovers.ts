/** Checks for leftovers of crashed servers: devices that nobody serves. Files are those of stale-files.ts. */
import { isServing } from '../../record/process-state.ts';
import { describePause, describeThaw, isPaused } from '../../record/paused.ts';
import type { DeviceReport } from '../report/report.ts';
import { type Check, ok, warn } from './check.ts';

/** One sentence on each kind of trouble: a device that is going or stopped does not hide one without a server. */
export function checkDevices(all: readonly DeviceReport[]): Check {
  const going = all.filter(({ deleting }) => deleting !== null);
  const staying = all.filter(({ deleting }) => deleting === null);
  const paused = staying.filter(({ server_state }) => isPaused(server_state));
  const orphans = staying.filter(
    ({ state, server_state }) =>
      !isPaused(server_state) && (state === 'DEAD' || server_state === null || !isServing(server_state)),
  );
  const others = staying.filter((device) => ![...paused, ...orphans].includes(device) && device.last_error !== null);
  const found = [
    ...eachInWords(others, 'see `ublkts list --json`'),
    ...eachInWords(going, 'a device that is being deleted is gone when nobody holds it any more'),
    ...pausedTrouble(paused),
    ...orphanTrouble(orphans),
  ];
  if (found.length === 0) return ok('devices', `${all.length}, all of them served`);
  const detail = found.map((trouble) => trouble.detail).join('; ');
  return warn('devices', detail, found.map(({ hint }) => hint).join('; '));
}

interface Trouble {
  readonly detail: string;
  readonly hint: string;
}

function eachInWords(devices: readonly DeviceReport[], hint: string): Trouble[] {
  if (devices.length === 0) return [];
  return [{ detail: devices.map(({ id, last_error }) => `device ${id}: ${last_error}`).join('; '), hint }];
}

function pausedTrouble(paused: readonly DeviceReport[]): Trouble[] {
  return (['stopped', 'frozen'] as const).flatMap((state) => {
    const those = paused.filter(({ server_state }) => server_state === state);
    const [first] = those;
    if (first === undefined) return [];
    const detail = those
      .map(({ id }) => `device ${id}: its server ${describePause(state)}, and its I/O waits`)
      .join('; ');
    const all = `\`kill -CONT ${those.map(({ ublksrv_pid }) => ublksrv_pid).join(' ')}\``;
    return [{ detail, hint: state === 'stopped' ? all : describeThaw(first.ublksrv_pid, state) }];
  });
}

function orphanTrouble(orphans: readonly DeviceReport[]): Trouble[] {
  if (orphans.length === 0) return [];
  const recoverable = orphans.filter(({ state }) => state === 'QUIESCED' || state === 'FAIL_IO');
  const lost = orphans.filter((orphan) => !recoverable.includes(orphan)).map(({ id }) => id);
  const ways = [
    ...recoverable.map(({ id }) => `\`ublkts recover -n ${id}\``),
    ...(lost.length > 0 ? [`\`ublkts del ${lost.join(' ')}\``] : []),
  ];
  const detail = orphans
    .map((orphan) => `device ${orphan.id} (${orphan.state}) has no server${ioOf(orphan)}`)
    .join('; ');
  return [{ detail, hint: ways.join('; ') }];
}

function ioOf({ state }: DeviceReport): string {
  if (state === 'QUIESCED') return ', and its I/O waits';
  return state === 'FAIL_IO' ? ', and its I/O fails' : '';
}
