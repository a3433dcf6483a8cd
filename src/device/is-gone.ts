/** Whether the kernel has given back a device's id. */
import type { ControlChannel } from '../control/channel.ts';
import { getDevInfo } from '../control/commands.ts';
import { UblkError } from '../errors.ts';

export function isGone(channel: ControlChannel, id: number): boolean {
  try {
    getDevInfo(channel, id);
    return false;
  } catch (error) {
    if (error instanceof UblkError && error.kind === 'no-device') return true;
    throw error;
  }
}
