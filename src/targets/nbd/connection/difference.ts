/** Whether a server that is back still has the export that the device was made of. */
import type { NbdExport } from '../handshake/export.ts';
import { flagNames } from '../protocol/flag-names.ts';
import {
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../protocol/numbers.ts';

/** The flags that decide which commands may be sent. */
const USED_FLAGS = NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES;
/** The most bytes of a read or write that a client may send to a server that names no maximum (the NBD protocol). */
const ASSUMED_MOST = 32 << 20;

/** What the NBD server has to allow, so that it can answer every request of the device. */
export interface Needs {
  /** Bytes of its largest read or write. */
  readonly largest: number;
  readonly connections: number;
}

/** Says why the device that was made of the export `before` cannot go on with the export `now`; null when it can. */
export function differenceOf(before: NbdExport, now: NbdExport, { largest, connections }: Needs): string | null {
  if (now.bytes < before.bytes) return `it has ${now.bytes} bytes, and the device has ${before.bytes}`;
  const block = now.blockSizes?.minimum ?? 0;
  if (block > Math.max(512, before.blockSizes?.minimum ?? 512)) return `its blocks have ${block} bytes`;
  const most = now.blockSizes?.maximum ?? ASSUMED_MOST;
  if (most < largest) return `it takes at most ${most} bytes at once, and the device sends up to ${largest}`;
  // The device has promised its clients what these flags stand for.
  const used = connections > 1 ? USED_FLAGS | NBD_FLAG_CAN_MULTI_CONN : USED_FLAGS;
  const missing = before.flags & ~now.flags & used;
  if (missing !== 0) return `it lacks ${flagNames(missing).join(' and ')}`;
  const gained = now.flags & ~before.flags;
  if ((gained & NBD_FLAG_SEND_FLUSH) !== 0) return 'it has a cache now, which the kernel would never flush';
  if ((gained & NBD_FLAG_READ_ONLY) !== 0) return 'it is read-only';
  return null;
}
