/** `quiesce`: takes the server away from a live device, for another to recover it. */
import { withControl } from '../control/channel.ts';
import { quiesceDev } from '../control/commands.ts';

export async function quiesceDevice(id: number, timeoutMs: number): Promise<void> {
  withControl((channel) => quiesceDev(channel, id, timeoutMs));
}
