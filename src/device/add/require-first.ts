/**
 * Of two calls that make devices on one file at the same time, the one whose record is written later is refused. Built-in
 * targets lock their files (targets/claims.ts). A target in a file opens its files by itself, and only the records tell.
 */
import { isAbsolute } from 'node:path';
import { findDevices } from '../../control/discovery.ts';
import type { DeviceRecord, FileIdentity } from '../../record/device-record.ts';
import { ofInstance } from '../../record/ownership.ts';
import { isServerAlive } from '../../record/server-identity.ts';
import { readUnchanged } from '../../record/unchanged.ts';
import { refusedUse } from '../../targets/claims.ts';

/** Is to be called before the record is written, while no other process writes one (withFilesAlone). */
export function requireFirst({ id, spec, identities = [] }: DeviceRecord): void {
  if (spec.files.length === 0) return;
  for (const other of findDevices()) {
    const record = other === id ? null : ofInstance(readUnchanged(other));
    if (record === null || !hasOrGetsServer(record) || (spec.share && record.spec.share)) continue;
    if (!isAbsolute(spec.target) && !isAbsolute(record.spec.target)) continue;
    const taken = spec.files.find((_, index) => isAmong(identities[index], record.identities));
    if (taken === undefined) continue;
    throw refusedUse(taken, {
      id: other,
      words: `device ${other} (${record.spec.target}) has it or is being made with it`,
    });
  }
}

function hasOrGetsServer({ server, ended }: DeviceRecord): boolean {
  return ended === null && (server === null || isServerAlive(server));
}

function isAmong(file: FileIdentity | undefined, others: readonly FileIdentity[] = []): boolean {
  if (file === undefined) return false;
  if (file.blockDevice !== null) return others.some(({ blockDevice }) => blockDevice === file.blockDevice);
  return others.some(({ device, inode }) => device === file.device && inode === file.inode);
}
