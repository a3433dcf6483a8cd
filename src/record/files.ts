/** Where a device's files are. Everything here is removed by `del`. */
import { mkdirSync } from 'node:fs';

export const RUN_DIRECTORY = '/run/ublkts';
/** kublk's, so that its clients find us. */
const SOCKET_DIRECTORY = '/run/ublk';

export interface DeviceFiles {
  /** What a restart needs (stored-device.ts). */
  readonly spec: string;
  /** The stats page (stats/layout.ts). */
  readonly stats: string;
  /** What the server wrote to stderr. */
  readonly log: string;
  readonly socket: string;
}

export function filesOf(device: number): DeviceFiles {
  return {
    spec: `${RUN_DIRECTORY}/${device}.json`,
    stats: `${RUN_DIRECTORY}/${device}.stats`,
    log: `${RUN_DIRECTORY}/${device}.log`,
    socket: `${SOCKET_DIRECTORY}/ublkb${device}.sock`,
  };
}

export function makeRunDirectories(): void {
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  mkdirSync(SOCKET_DIRECTORY, { recursive: true, mode: 0o755 });
}
