/**
 * When two calls make devices on one file at the same time, the one whose record is written later is refused. Built-in
 * targets lock their files (targets/claims.ts). A target in a file opens its files by itself, and only the records tell.
 */
import { isAbsolute } from 'node:path';
import { findDevices } from '../../control/discovery.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { ofInstance } from '../../record/ownership.ts';
import { isServerAlive } from '../../record/server-identity.ts';
import { readUnchanged } from '../../record/unchanged.ts';
import { refusedUse } from '../../targets/claims.ts';
import { isSameIdentity } from '../../targets/looks.ts';

/** Is to be called before the record is written, while no other process writes one (withFilesAlone). */
export function requireFirst(record: DeviceRecord): void {
  const { id, spec } = record;
  if (spec.files.length === 0) return;
  for (const other of findDevices()) {
    const before = other === id ? null : readUnchanged(other);
    if (before === null || (spec.share && before.spec.share)) continue;
    if (!isAbsolute(spec.target) && !isAbsolute(before.spec.target)) continue;
    const path = fileOfBoth(record, before);
    if (path === undefined || ofInstance(before) === null) continue;
    const words = useOf(before);
    if (words !== null) throw refusedUse(path, { id: other, words });
  }
}

/** The path of a file that both devices have, as the first one names it. */
function fileOfBoth(
  { spec, identities: ours = [] }: DeviceRecord,
  { identities: theirs = [] }: DeviceRecord,
): string | undefined {
  return spec.files.find((_, index) => {
    const identity = ours[index];
    return identity !== undefined && theirs.some((each) => isSameIdentity(each, identity));
  });
}

/** A sentence about a device that has a server or may get its first one; null for one that has lost its server. */
function useOf({ id, spec, server, ended }: DeviceRecord): string | null {
  if (ended !== null) return null;
  if (server === null) return `device ${id} (${spec.target}), which has had no server yet, is to serve it`;
  return isServerAlive(server) ? `device ${id} (${spec.target}, server pid ${server.pid}) serves it` : null;
}
