/** Says that the ublk driver is not loaded, and what to do about it. */
import { existsSync } from 'node:fs';
import { CONTROL_DEVICE } from './command.ts';

/** The hint, wherever a command finds out that there is no driver. */
export const LOAD_DRIVER =
  '`modprobe ublk_drv` loads it (Linux 6.0 and newer); `ublkts lab shell` opens a guest whose kernel has it';

/** The notice for what can be shown without a driver, such as an empty list. */
export const NO_DRIVER = `no ublk driver is loaded: ${LOAD_DRIVER}`;

/** The notice, or null when the driver is loaded. */
export function missingDriver(): string | null {
  return existsSync(CONTROL_DEVICE) ? null : NO_DRIVER;
}
