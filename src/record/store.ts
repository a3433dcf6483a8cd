/**
 * Reads and writes device records. A record is one JSON file per device in /run/ublkts, written whole and renamed into
 * place, so that a reader never sees half of it and a crash leaves the old one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { throwShortage } from '../native/shortage.ts';
import type { DeviceRecord, Ending } from './device-record.ts';
import { filesOf, makeRunDirectories, unfinishedFile, UNFINISHED_DIRECTORY } from './files.ts';
import { migrate } from './migrations.ts';
import { removeFile, writeWhole } from './run-files.ts';

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

/** Throws a UblkError that names the file when /run is full or read-only. The record is what it was then. */
export function writeRecord(record: DeviceRecord): void {
  makeRunDirectories();
  const { id } = record;
  writeWhole(filesOf(id).record, unfinishedFile(id, 'json'), `${JSON.stringify(record)}\n`, 0o600);
}

export function updateRecord(id: number, change: Partial<DeviceRecord>): void {
  const record = readRecord(id);
  if (record !== null) writeRecord({ ...record, ...change });
}

/** Writes down how the device's server ends. */
export function recordEnd(id: number, reason: Ending['reason'], message: string | null): void {
  updateRecord(id, { ended: { at: new Date().toISOString(), reason, message } });
}

/** Writes down why the target of a device that was stopped could not be closed. The end of a server that failed stays as it is. */
export function recordUnclosed(id: number, problem: string): void {
  const ended = readRecord(id)?.ended;
  if (ended?.reason !== 'stopped') return;
  const message = `its target could not be closed: ${problem}; what it had not stored may be lost`;
  updateRecord(id, { ended: { ...ended, message: ended.message ?? message } });
}

/** Removes everything that a device leaves in /run. */
export function forgetDevice(id: number): void {
  const paths: readonly string[] = [...Object.values(filesOf(id)), ...unfinishedFiles(id)];
  for (const path of paths) removeFile(path);
}

/** The files that a process was writing when it was killed. */
function unfinishedFiles(id: number): string[] {
  // Not beside the records: a directory of a thousand devices takes longer to read than a device to delete.
  const names = existsSync(UNFINISHED_DIRECTORY) ? readdirSync(UNFINISHED_DIRECTORY) : [];
  return names.filter((name) => name.startsWith(`${id}.`)).map((name) => join(UNFINISHED_DIRECTORY, name));
}
