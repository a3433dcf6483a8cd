/** `stop`: the block device goes, the ublk device stays until `del`. */
import { withControl } from '../control/channel.ts';
import { getDevInfo, stopDev, tryStopDev } from '../control/commands.ts';

/** `safe`: refuse with EBUSY when someone has the block device open. */
export async function stopDevice(id: number, { safe }: { readonly safe: boolean }): Promise<void> {
  withControl((channel) => {
    getDevInfo(channel, id);
    if (safe) tryStopDev(channel, id);
    else stopDev(channel, id);
  });
}
