/**
 * Claims on exports: while a server lives, no second server on this machine serves the export that it serves. Whose an
 * export is cannot be asked its NBD server, so each server locks bytes of one file, at places that the names of its
 * exports lead to. The kernel releases the locks when the server ends, however it ends.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { tryLockByte } from '../../native/libc/file-lock.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { EXPORTS_LOCK } from '../../record/files.ts';
import { changing } from '../../record/run-files.ts';
import { type ClaimOptions, refusedUse, waitingFor } from '../claims.ts';
import { recordedDevices, type ServingDevice } from '../holders.ts';
import { mayBeSame, namesOfExport } from './identity.ts';
import { formatNbdUri, type NbdUri, parseNbdUri } from './uri.ts';

const RETRY_MS = 20;

/** Resolves with what releases the claim. Throws a UblkError that names the device that serves the export. */
export async function claimExport(uri: NbdUri, options: ClaimOptions): Promise<() => void> {
  // Every server locks in this order, so two servers that want the same names never wait for each other.
  const places = (await namesOfExport(uri)).toSorted().map(placeOf);
  const kind = options.share ? 'shared' : 'exclusive';
  const fd = changing(EXPORTS_LOCK, () => openSync(EXPORTS_LOCK, 'a+', 0o600));
  const isTaken = (place: bigint): boolean => tryLockByte(fd, kind, place) === ERRNO.EAGAIN;
  try {
    for (const deadline = milliseconds() + waitingFor(options); places.some(isTaken); await sleep(RETRY_MS)) {
      const holder = (await devicesServingExport(uri, options.device)).find(({ share }) => !(share && options.share));
      if (holder === undefined && milliseconds() <= deadline) continue;
      throw refusedUse(formatNbdUri(uri), holder ?? { words: 'another server of a device holds it' }, 'export');
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => closeSync(fd);
}

/** The devices, other than `except`, whose records lead to the same export. */
export async function devicesServingExport(uri: NbdUri, except: number): Promise<ServingDevice[]> {
  const others = recordedDevices(except).flatMap(({ device, spec }) => {
    const other = spec.target === 'nbd' ? uriOf(spec.targetOptions) : null;
    return other !== null && mayBeSame(uri, other) ? [{ device, uri: other }] : [];
  });
  if (others.length === 0) return [];
  const names = new Set(await namesOfExport(uri));
  const same = await Promise.all(
    others.map(async (other) => (await namesOfExport(other.uri)).some((name) => names.has(name))),
  );
  return others.filter((_, index) => same[index]).map(({ device }) => device);
}

/** null: the device has a program of its own, or a URI that this version does not take. */
function uriOf({ uri }: Readonly<Record<string, string>>): NbdUri | null {
  try {
    return uri === undefined ? null : parseNbdUri(uri);
  } catch {
    return null;
  }
}

/** 62 bits, so that it is a position in a file. */
function placeOf(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigUInt64LE() >> 2n;
}
