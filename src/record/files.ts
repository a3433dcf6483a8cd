/** The files of a device, which `del` removes, and those of resident servers. */
import { makeDirectory } from './run-files.ts';

export const RUN_DIRECTORY = '/run/ublkts';
/** Files of devices while they are written. It is empty but for those whose writer was killed. */
export const UNFINISHED_DIRECTORY = `${RUN_DIRECTORY}/unfinished`;
/** Servers lock bytes of it, one for each export of an NBD server that they serve (targets/nbd/claim.ts). It is empty, and stays. */
export const EXPORTS_LOCK = `${RUN_DIRECTORY}/exports.lock`;
/** A command that recovers a device locks a byte of it (device/recover/device-lock.ts). It is empty, and stays. */
export const RECOVER_LOCK = `${RUN_DIRECTORY}/recover.lock`;
/** The directory that kublk uses, so that its clients find our sockets. */
export const SOCKET_DIRECTORY = '/run/ublk';

/** On a tmpfs that may have half of the machine's memory; only root writes in it. */
const MEMORY_DIRECTORY = '/dev/shm/ublkts';

export interface DeviceFiles {
  /** The device record (device-record.ts). */
  readonly record: string;
  /** The stats page (stats/layout.ts). */
  readonly stats: string;
  /** The standard error of the server. */
  readonly log: string;
  readonly socket: string;
  /** The socket on which the server answers how large the storage is (protocol/storage-requests.ts). */
  readonly asked: string;
  /** Locked by the server for as long as it lives (server-lock.ts). */
  readonly lock: string;
  /** The process id of the server, if it has only this device (pid-file.ts). */
  readonly pid: string;
  /** There while the device is being deleted (going-device.ts). */
  readonly going: string;
  /** The memory of a ram device, which is not the server's and outlives it. */
  readonly memory: string;
  /** A folder that only root looks into: the socket of a program that the device's server has started for it. */
  readonly program: string;
}

export function filesOf(device: number): DeviceFiles {
  return {
    record: `${RUN_DIRECTORY}/${device}.json`,
    stats: `${RUN_DIRECTORY}/${device}.stats`,
    log: `${RUN_DIRECTORY}/${device}.log`,
    socket: `${SOCKET_DIRECTORY}/ublkb${device}.sock`,
    asked: `${RUN_DIRECTORY}/${device}.sock`,
    lock: `${RUN_DIRECTORY}/${device}.lock`,
    pid: `${RUN_DIRECTORY}/${device}.pid`,
    going: `${RUN_DIRECTORY}/${device}.going`,
    memory: `${MEMORY_DIRECTORY}/${device}.ram`,
    program: `${RUN_DIRECTORY}/${device}.program`,
  };
}

/** Where ublkts keeps its own files. */
export const OWN_DIRECTORIES: readonly string[] = [RUN_DIRECTORY, MEMORY_DIRECTORY];

/** Whether this path, which has no links, is that of a file that ublkts keeps for itself: who writes to one damages a device. */
export function isOwnFile(path: string): boolean {
  return OWN_DIRECTORIES.some((directory) => path.startsWith(`${directory}/`));
}

export interface ResidentFiles {
  readonly socket: string;
  /** The standard error of the server. */
  readonly log: string;
  /** Locked by the server for as long as it lives. */
  readonly lock: string;
}

/** The files of a resident server. Names of devices begin with a digit and end there, so that they are never these. */
export function residentFiles(name: string): ResidentFiles {
  const path = `${RUN_DIRECTORY}/server-${name}`;
  return { socket: `${path}.sock`, log: `${path}.log`, lock: `${path}.lock` };
}

export function makeRunDirectories(): void {
  makeDirectory(RUN_DIRECTORY, 0o755);
  makeDirectory(UNFINISHED_DIRECTORY, 0o700);
  makeDirectory(SOCKET_DIRECTORY, 0o755);
}

/** Where this process writes a file of a device, such as `stats`, before it is renamed into place. */
export function unfinishedFile(device: number, what: string): string {
  return `${UNFINISHED_DIRECTORY}/${device}.${what}.${process.pid}`;
}
