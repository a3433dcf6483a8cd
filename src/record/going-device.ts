/**
 * Devices that are to go: one small file per device in /run/ublkts, written before the kernel is asked to delete it.
 *
 * The kernel takes a device out of sysfs at once, and gives its id back when the last process has closed it, which can
 * take for ever. The file keeps the device visible meanwhile. Whoever finds that it is gone removes all its files.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { filesOf, makeRunDirectories, RUN_DIRECTORY, unfinishedFile } from './files.ts';
import { tryFilesAlone, withFilesAlone } from './files-alone.ts';
import { removeFile, writeWhole } from './run-files.ts';
import { isServerLockHeld } from './server-lock.ts';
import { forgetDevice } from './store.ts';

export interface GoingDevice {
  readonly version: 1;
  readonly id: number;
  /** When it was asked for, ISO 8601. */
  readonly since: string;
  /** The server that the device had. A device with another one is a new device with the same id. */
  readonly serverPid?: number;
  /** `major:minor` of the block device and its partitions, and of the char device: what its users have open. */
  readonly devices: readonly string[];
  readonly charDevice: string | null;
  /** Block devices that were made of it when it was deleted by force: sysfs forgets the relation with the device. */
  readonly stacked: readonly { readonly name: string; readonly label: string | null }[];
}

/** Throws a UblkError when /run is full or read-only. */
export function writeGoingDevice(device: Omit<GoingDevice, 'version'>): void {
  makeRunDirectories();
  const { id } = device;
  writeWhole(filesOf(id).going, unfinishedFile(id, 'going'), `${JSON.stringify({ version: 1, ...device })}\n`, 0o644);
}

export function readGoingDevice(id: number): GoingDevice | null {
  try {
    const value = JSON.parse(readFileSync(filesOf(id).going, 'utf8')) as GoingDevice;
    return value.version === 1 && value.id === id ? value : null;
  } catch {
    return null;
  }
}

/** Ids in order. */
export function goingIds(): number[] {
  let names: string[];
  try {
    names = readdirSync(RUN_DIRECTORY);
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+\.going$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

/** The device stays after all. */
export function keepGoingDevice(id: number): void {
  removeFile(filesOf(id).going);
}

/**
 * Removes the files of a device that was deleted and is gone by now. Whoever lists devices does so, and does not wait: while
 * another process is at the files, or while /run is read-only, they are left to the next list. Returns whether files were
 * removed.
 */
export function sweepGoingDevice(id: number, isGone: () => boolean): boolean {
  if (!existsSync(filesOf(id).going)) return false;
  try {
    return tryFilesAlone(() => forgetOnlyIf(isGone, id))?.value ?? false;
  } catch (error) {
    if (error instanceof UblkError && error.code === 'EROFS') return false;
    throw error;
  }
}

/** Removes the files of a device that is gone. A new device that has its id by now keeps its own. */
export async function forgetIfGone(id: number, isGone: () => boolean): Promise<void> {
  await withFilesAlone(() => forgetOnlyIf(isGone, id));
}

/** A server that still closes the target keeps its lock, and writes into the record how that went. */
function forgetOnlyIf(isGone: () => boolean, id: number): boolean {
  if (!isGone() || isServerLockHeld(filesOf(id).lock)) return false;
  forgetDevice(id);
  return true;
}
