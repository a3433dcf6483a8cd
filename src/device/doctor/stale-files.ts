/**
 * Looks for files that nobody needs: of devices that are gone, of resident servers that were killed and have no device, and
 * folders of programs that an `add` was asking when it was killed.
 */
import { closeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from '../../native/kernel-files.ts';
import { filesOf, residentFiles, RUN_DIRECTORY } from '../../record/files.ts';
import { withFilesAlone } from '../../record/files-alone.ts';
import { removeFile } from '../../record/run-files.ts';
import { processState } from '../../record/process-state.ts';
import { isServerLockHeld, takeServerLock } from '../../record/server-lock.ts';
import { readRecord } from '../../record/store.ts';
import { type Check, ok, warn } from './check.ts';

const DIRECTORIES = [...new Set(Object.values(filesOf(0)).map((path) => dirname(path)))];

/** `ids()`: the devices that there are. They may come and go meanwhile. */
export async function checkFiles(ids: () => readonly number[], fix: boolean): Promise<Check> {
  // The records, which say what is needed, are for root alone.
  if (process.geteuid?.() !== 0)
    return warn('files', 'not checked: only root can read what is needed', 'run it as root');
  if (!fix) {
    const stale = staleFiles(ids());
    if (stale.length === 0) return ok('files', `nothing stale in ${DIRECTORIES.join(' and ')}`);
    return warn('files', `nobody needs these: ${stale.join(' ')}`, '`ublkts doctor --fix` removes them');
  }
  // The ids are read while no other process makes the files of a new device.
  const removed = await withFilesAlone(() => {
    const stale = [...ofGoneDevices(ids()), ...ofGoneProbes()];
    for (const path of stale) removeFile(path);
    return stale;
  });
  for (const name of killedServers(ids())) removed.push(...(await removeServer(name)));
  return ok('files', removed.length === 0 ? 'nothing stale' : `removed, as nobody needs them: ${removed.join(' ')}`);
}

function staleFiles(ids: readonly number[]): string[] {
  const ofServers = killedServers(ids).flatMap((name) => Object.values(residentFiles(name)));
  return [...ofGoneDevices(ids), ...ofGoneProbes(), ...ofServers];
}

/** They are named `7.json` or `ublkb7.sock`. */
function ofGoneDevices(ids: readonly number[]): string[] {
  return DIRECTORIES.flatMap((directory) =>
    namesIn(directory)
      .filter((name) => isOfAnother(name, ids))
      .map((name) => join(directory, name)),
  );
}

export function isOfAnother(name: string, ids: readonly number[]): boolean {
  const id = /^(?:ublkb)?(\d+)\./.exec(name)?.[1];
  return id !== undefined && !ids.includes(Number(id));
}

/** They are named `program-PID-` and some letters, after the process that asks. */
function ofGoneProbes(): string[] {
  return namesIn(RUN_DIRECTORY)
    .filter((name) => processState(Number(/^program-(\d+)-/.exec(name)?.[1] ?? process.pid)) === 'gone')
    .map((name) => join(RUN_DIRECTORY, name));
}

/** A server with devices keeps its files, because `recover` starts it again as it was. */
function killedServers(ids: readonly number[]): string[] {
  const needed = new Set(ids.map((id) => readRecord(id)?.spec.server));
  const names = new Set(namesIn(RUN_DIRECTORY).flatMap((name) => serverOfFile(name) ?? []));
  return [...names].filter((name) => !needed.has(name) && !isServerLockHeld(residentFiles(name).lock));
}

/** The resident server that the file belongs to; null for a file that is none of a server's. */
export function serverOfFile(name: string): string | null {
  return /^server-(.+)\.(?:sock|log|lock)$/.exec(name)?.[1] ?? null;
}

/** Under the lock of the server's name, so that one that starts meanwhile keeps its files. The lock's own file goes last. */
async function removeServer(name: string): Promise<string[]> {
  const { lock, ...others } = residentFiles(name);
  const locked = await takeServerLock(lock, 0);
  if (locked === null) return [];
  const paths = [...Object.values(others), lock];
  for (const path of paths) removeFile(path);
  closeSync(locked);
  return paths;
}
