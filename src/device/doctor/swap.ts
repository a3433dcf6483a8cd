/** Checks devices that are used as swap: their servers must not wait for pages of their own. */
import { findSwaps } from '../../block/claims.ts';
import { findDevices } from '../../control/discovery.ts';
import { diskNumbers } from '../../control/sysfs.ts';
import { readText } from '../../native/kernel-files.ts';
import { isElsewhere } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { type Check, ok, warn } from './check.ts';

/** A device of ours that is used as swap, whole or in part. */
export interface SwapDevice {
  readonly id: number;
  readonly mlock: boolean;
  /** How much of its server's own memory is in swap. */
  readonly swappedKib: number;
}

export function findSwapDevices(): SwapDevice[] {
  return findDevices().flatMap((id) => {
    const record = readRecord(id);
    if (record === null || findSwaps(diskNumbers(id).devices).length === 0) return [];
    const { server } = record;
    const status = (server !== null && !isElsewhere(server) && readText(`/proc/${server.pid}/status`)) || '';
    const swappedKib = Number(/^VmSwap:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    return [{ id, mlock: record.spec.mlock, swappedKib }];
  });
}

export function checkSwap(devices: readonly SwapDevice[]): Check {
  if (devices.length === 0) return ok('swap', 'on no device');
  const unlocked = devices.filter(({ mlock }) => !mlock);
  if (unlocked.length > 0) {
    const detail = `on ${namesOf(unlocked)}, added without --mlock: the machine can freeze when memory is short`;
    return warn('swap', detail, 'end it with `swapoff`, and make the device again with --mlock');
  }
  const swapped = devices.filter(({ swappedKib }) => swappedKib > 0);
  if (swapped.length > 0) {
    const detail = `on ${namesOf(swapped)}, whose server has memory of its own in swap`;
    return warn(
      'swap',
      detail,
      'add it in a control group whose memory.swap.max is 0 (MemorySwapMax=0 in a systemd unit)',
    );
  }
  return ok('swap', `on ${namesOf(devices)}, with all I/O buffers in memory`);
}

function namesOf(devices: readonly SwapDevice[]): string {
  return `device ${devices.map(({ id }) => id).join(', ')}`;
}
