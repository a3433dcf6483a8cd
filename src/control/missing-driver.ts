/** Says why there is no driver to talk to, and what to do about it. */
import { existsSync } from 'node:fs';
import { readText } from '../native/kernel-files.ts';
import { CONTROL_DEVICE } from './command.ts';

/** `MAJOR:MINOR` of the control device, while the driver is loaded. */
export const CONTROL_NUMBER = '/sys/class/misc/ublk-control/dev';

const LOAD_DRIVER =
  '`modprobe ublk_drv` loads it (Linux 6.0 and newer); `ublkts lab shell` opens a guest whose kernel has it';

/** The notice where no driver is loaded, for what can be shown without it, such as an empty list. */
export const NO_DRIVER = `no ublk driver is loaded: ${LOAD_DRIVER}`;

interface NoDriver {
  readonly reason: string;
  readonly hint: string;
}

/** Why the control device is not there, or is another file. A container has the driver of its host, and seldom its node. */
export function whyNoDriver(): NoDriver {
  const number = readText(CONTROL_NUMBER);
  if (number === null) return { reason: 'no ublk driver is loaded', hint: LOAD_DRIVER };
  const makeNode = `\`mknod ${CONTROL_DEVICE} c ${number.replace(':', ' ')}\` makes it`;
  if (existsSync(CONTROL_DEVICE)) {
    return {
      reason: 'the ublk driver is loaded, but another file is in the place of its node',
      hint: `remove that file; then ${makeNode}`,
    };
  }
  return {
    reason: 'the ublk driver is loaded, but its node is not in this /dev',
    hint: `give the device to the container (--device=${CONTROL_DEVICE}); elsewhere, ${makeNode}`,
  };
}

/** The hint when this process may not open the control device. In a container, root may open only the devices that the container was given. */
export function permissionHint(): string {
  return process.geteuid?.() === 0
    ? `a container has to be given the device: run it as root, with --device=${CONTROL_DEVICE} (podman, docker)`
    : 'run as root, or give your user the device with a udev rule';
}

/** The notice, or null when the driver can be found. */
export function missingDriver(): string | null {
  return existsSync(CONTROL_DEVICE) ? null : noDriverNotice();
}

export function noDriverNotice(): string {
  const { reason, hint } = whyNoDriver();
  return `${reason}: ${hint}`;
}
