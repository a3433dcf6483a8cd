/**
 * Reads the records of all devices over and over, as a program does that makes one device after another: a record that
 * nobody has written since is not read again.
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

/** null when there is no such file, and when the directory cannot be searched: root may have made it with a umask of 077. */
function versionOf(path: string): string | null {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    throwShortage(error);
    return null;
  }
}
