/**
 * Reads the records of all devices over and over, as a program does that makes one device after another, and one that watches
 * them: a record that nobody has written since is not read again.
 */
import { statSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';
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
  const version = versionOf(filesOf(id).record);
  if (version === null) {
    known.delete(id);
    return null;
  }
  const before = known.get(id);
  if (before?.version === version) return before.record;
  const record = readRecord(id);
  known.set(id, { version, record });
  return record;
}

/** null where there is no such file, and for a user who may not look into the directory. */
function versionOf(path: string): string | null {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  } catch (error) {
    throwShortage(error);
    return null;
  }
}
