/** Looks at a round's device. The library is asked, because a command takes seconds in a guest. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceReport, DeviceState } from '../../src/device/report/report.ts';
import { library } from '../guest/library.ts';
import { SERVER_LOG } from './resident.ts';

/** A server in a busy guest needs ten seconds for each of the commands that it gives. */
const PATIENCE_MS = 90_000;

export async function stateOf(id: number): Promise<DeviceState | 'gone'> {
  return (await lookAt(id))?.state ?? 'gone';
}

/** undefined: it is not listed. */
export async function lookAt(id: number): Promise<DeviceReport | undefined> {
  return (await library.listDevices()).find((device) => device.id === id);
}

/** The log of the device's server; empty once that is gone. */
export function logOf({ id, server }: DeviceReport): string {
  try {
    return readFileSync(server === null ? `/run/ublkts/${id}.log` : SERVER_LOG, 'utf8');
  } catch {
    return '';
  }
}

/** `more` is said as well when it is too late. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  more: () => string = () => '',
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not seen within ${PATIENCE_MS / 1000} s: ${what}\n${more()}`);
    await sleep(50);
  }
}
