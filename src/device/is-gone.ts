/** Whether the kernel has given back a device's id. */
import type { ControlChannel } from '../control/channel.ts';
import { findDevInfo } from '../control/commands.ts';

export function isGone(channel: ControlChannel, id: number): boolean {
  return findDevInfo(channel, id) === null;
}
