/** The device record: what ublkts keeps about a device in addition to what the kernel reports. */
import type { DeviceSpec } from '../spec/device-spec.ts';
import type { AddOptions } from '../spec/options.ts';
import type { ServerIdentity } from './server-identity.ts';

export const RECORD_VERSION = 2;

export interface StoredBuffer {
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  /** Where other processes find the memory while this server lives; null for a client's memfd. */
  readonly path: string | null;
  /** The origin that `list` shows. */
  readonly source: string;
  /** The server made the memory and keeps it open: `path` is a descriptor of its own. */
  readonly kept: boolean;
  /** How a later server recognises the same memory: st_dev and st_ino, and its pages (page-fingerprint.ts). */
  readonly device: string;
  readonly inode: string;
  readonly pages: string;
}

/**
 * The numbers by which the kernel tells files apart. They show that two files on mounted file systems are different ones
 * without a call on either of them.
 */
export interface FileIdentity {
  /** st_dev as MAJOR:MINOR. */
  readonly device: string;
  readonly inode: string;
  /** st_rdev of a block device; null for a regular file. */
  readonly blockDevice: string | null;
  /** By it the kernel tells disks apart that have the same number one after the other (diskseq in sysfs, Linux 5.15). */
  readonly sequence?: string;
}

/** A path, and what it led to. */
export interface Place {
  readonly path: string;
  readonly identity: FileIdentity;
}

/** How a server ended, when it lived to say so. */
export interface Ending {
  /** ISO 8601. */
  readonly at: string;
  readonly reason: 'stopped' | 'failed';
  /** The error of a server that failed; for a device that was stopped, why its target could not be closed, or null. */
  readonly message: string | null;
}

export interface DeviceRecord {
  readonly version: typeof RECORD_VERSION;
  readonly id: number;
  /** The options that `add`, and each `recover` since, asked for. */
  readonly options: AddOptions;
  /** The resolved device; `recover` starts from it. */
  readonly spec: DeviceSpec;
  /** Which device of this id it is about (control/discovery.ts). A record of an older version has none. */
  readonly instance?: string | null;
  /**
   * The call of `add` or `recover` that started this server, or is about to. A server that is asked late, for a call that
   * was given up, finds another one here: the id has become another device's. Absent in a record of an older version.
   */
  readonly attempt?: string;
  /** null until the first server serves. */
  readonly server: ServerIdentity | null;
  /** Where the server has the backing files open: /proc/PID/fd/N, in the order of the target's files. */
  readonly descriptors?: readonly number[];
  /**
   * The identities of the spec's files, in their order, as `add`, `recover` or the server read them last. A record of an older
   * version has none.
   */
  readonly identities?: readonly FileIdentity[];
  /** The network namespace of `add` or the last `recover`, as /proc/PID/ns/net names it. A record of an older version has none. */
  readonly network?: string;
  /**
   * The mount namespace of the same call, as /proc/PID/ns/mnt names it, and where the paths led there that the device depends
   * on besides the spec's files. A record of an older version has neither.
   */
  readonly mounts?: string;
  readonly places?: readonly Place[];
  /** The server before this one: until END_USER_RECOVERY has returned, the kernel may still name it. */
  readonly previous: ServerIdentity | null;
  /** How many times the device was recovered. */
  readonly generation: number;
  /** Whether `buffers` is all that the kernel has; not so when another program's server made the device. */
  readonly recorded: boolean;
  readonly buffers: readonly StoredBuffer[];
  /** The buffer index that a command is being issued for: a crash may have left it registered or not. */
  readonly unsettled: number | null;
  readonly ended: Ending | null;
}
