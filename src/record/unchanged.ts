/**
 * Reads the records of all devices over and over, as a program does that makes one device after another: a record that
 * nobody has written since is not read again.
 */
import { statSync } from 'node:fs';
import type { DeviceRecord } from './device-record.ts';
import { filesOf } from './files.ts';
import { readRecord } from './store.ts';

interface Known {
  /** writeRecord makes a new file each time. */
  readonly version: string;
  readonly record: DeviceRecord | null;
}

const known = new Map<number, Known>();

/** Returns what readRecord returns, which must not be changed. */
export function readUnchanged(id: number): DeviceRecord | null {
  const stat = statSync(filesOf(id).record, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) {
    known.delete(id);
    return null;
  }
  const version = `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  const before = known.get(id);
  if (before?.version === version) return before.record;
  const record = readRecord(id);
  known.set(id, { version, record });
  return record;
}
