/**
 * What is known of a device besides the kernel's own record: one JSON file in /run/ublkts, written whole and renamed
 * into place, so that a reader never sees half of it and a crash leaves the old one.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddOptions } from '../spec/options.ts';
import { filesOf, makeRunDirectories } from './files.ts';

export interface StoredBuffer {
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  /** Where others find the memory while this server lives, or null: it is a client's memfd. */
  readonly path: string | null;
  /** What `list` says it is. */
  readonly source: string;
  /** The server made the memory and keeps it open: `path` is a descriptor of its own. */
  readonly kept: boolean;
  /** How a later server knows the same memory again: st_dev and st_ino, and its pages (page-fingerprint.ts). */
  readonly device: string;
  readonly inode: string;
  readonly pages: string;
}

export interface StoredDevice {
  readonly version: 1;
  readonly id: number;
  /** As asked for; `recover` starts from it. */
  readonly options: AddOptions;
  readonly dataPath: string;
  readonly serverPid: number;
  /** The server before this one: until END_USER_RECOVERY has returned, the device may still be its. */
  readonly previousPid?: number;
  readonly generation: number;
  /** Whether `buffers` is all that the kernel has: not when another program's server made the device. */
  readonly recorded: boolean;
  readonly buffers: readonly StoredBuffer[];
  /** The index that a command is being issued for: a crash may have left it registered or not. */
  readonly unsettled: number | null;
  /** How the server ended, when it lived to say so. */
  readonly ended: { readonly at: string; readonly reason: string } | null;
}

export function readStoredDevice(id: number): StoredDevice | null {
  try {
    const value = JSON.parse(readFileSync(filesOf(id).spec, 'utf8')) as StoredDevice;
    return value.version === 1 && value.id === id ? value : null;
  } catch {
    return null;
  }
}

export function writeStoredDevice(device: StoredDevice): void {
  makeRunDirectories();
  const { spec } = filesOf(device.id);
  const temporary = `${spec}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(device)}\n`, { mode: 0o600 });
  renameSync(temporary, spec);
}

export function updateStoredDevice(id: number, change: Partial<StoredDevice>): void {
  const stored = readStoredDevice(id);
  if (stored !== null) writeStoredDevice({ ...stored, ...change });
}

/** Everything that a device leaves in /run. */
export function forgetDevice(id: number): void {
  for (const path of Object.values(filesOf(id))) rmSync(path as string, { force: true });
}
