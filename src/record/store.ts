/**
 * Reads and writes device records. A record is one JSON file per device in /run/ublkts, written whole and renamed into
 * place, so that a reader never sees half of it and a crash leaves the old one.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { throwShortage } from '../native/shortage.ts';
import type { DeviceRecord } from './device-record.ts';
import { filesOf, makeRunDirectories } from './files.ts';
import { migrate } from './migrations.ts';

/** null when there is no record, or none that this version can read. */
export function readRecord(id: number): DeviceRecord | null {
  try {
    const record = migrate(JSON.parse(readFileSync(filesOf(id).record, 'utf8')));
    return record?.id === id ? record : null;
  } catch (error) {
    throwShortage(error);
    return null;
  }
}

export function writeRecord(record: DeviceRecord): void {
  makeRunDirectories();
  const { record: path } = filesOf(record.id);
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

export function updateRecord(id: number, change: Partial<DeviceRecord>): void {
  const record = readRecord(id);
  if (record !== null) writeRecord({ ...record, ...change });
}

/** Removes everything that a device leaves in /run. */
export function forgetDevice(id: number): void {
  for (const path of Object.values(filesOf(id))) rmSync(path as string, { force: true });
}
